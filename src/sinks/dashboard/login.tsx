/** Asks for the password of the page. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { logIn } from './session.js';

export function Login(): ComponentChild {
  const failure = useSignal('');
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    const password = new FormData(event.currentTarget as HTMLFormElement).get('password');
    failure.value = (await logIn(typeof password === 'string' ? password : '')) ?? '';
    isBusy.value = false;
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Lookahead</h1>
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="login-failure"
        />
        <button class="primary" disabled={isBusy.value}>
          Log in
        </button>
        <p id="login-failure" class="failure" role="alert">
          {failure.value}
        </p>
      </form>
    </main>
  );
}
