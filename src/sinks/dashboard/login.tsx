/** Asks for the password of the page. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { logIn, type RequestFailure } from './session.js';

export function Login(): ComponentChild {
  const failure = useSignal<RequestFailure | undefined>(undefined);
  const isBusy = useSignal(false);
  const waitS = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  const isWaiting = waitS.value > 0;

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = setInterval(() => (waitS.value -= 1), 1_000);
    return () => clearInterval(timer);
  }, [isWaiting]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const input = field.current;
    if (isBusy.value || isWaiting || input === null) return;
    isBusy.value = true;
    failure.value = await logIn(input.value);
    isBusy.value = false;
    waitS.value = failure.value?.retryAfterS ?? 0;
    input.value = '';
    input.focus();
  };

  return (
    <main class="login" id="main">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <h1>Lookahead</h1>
        <label for="password">Password</label>
        <input
          ref={field}
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          maxLength={1024}
          aria-invalid={failure.value !== undefined}
          aria-describedby="login-failure"
        />
        <button class="primary" disabled={isBusy.value || isWaiting}>
          {isBusy.value ? 'Logging in …' : isWaiting ? `Try again in ${waitS.value} s` : 'Log in'}
        </button>
        <p id="login-failure" class="failure" role="alert">
          {textOf(failure.value)}
        </p>
      </form>
    </main>
  );
}

/** The seconds as they were at first: a text that counts down would be read out each second. */
function textOf(failure: RequestFailure | undefined): string {
  if (failure === undefined) return '';
  const { message, remedy, retryAfterS } = failure;
  return retryAfterS === undefined
    ? `${message} ${remedy}`
    : `${message} Try again in ${retryAfterS} s.`;
}
