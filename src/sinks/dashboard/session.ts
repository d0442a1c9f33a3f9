/** Who we are to the engine, and how we get in. */
import { signal } from '@preact/signals';
import { HttpErrorSchema, paths, SessionSchema, type Session } from '../../http/contract.js';

/** undefined: not asked yet. null: the engine does not answer. */
export const session = signal<Session | null | undefined>(undefined);

export async function loadSession(): Promise<Session | null> {
  try {
    const response = await fetch(paths.session, { signal: AbortSignal.timeout(10_000) });
    session.value = response.ok ? SessionSchema.parse(await response.json()) : null;
  } catch {
    session.value = null;
  }
  return session.value;
}

/** Resolves with what went wrong; undefined: we are in. */
export async function logIn(password: string): Promise<RequestFailure | undefined> {
  const failure = await send('POST', paths.login, { password });
  await loadSession();
  return failure instanceof RequestFailure ? failure : undefined;
}

export async function logOut(): Promise<void> {
  await send('POST', paths.logout, {});
  await loadSession();
}

export class RequestFailure extends Error {
  readonly code: string;
  readonly remedy: string;
  /** Seconds until it may be tried again, where the engine says so. */
  readonly retryAfterS: number | undefined;

  constructor(code: string, message: string, remedy: string, retryAfterS?: number) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.retryAfterS = retryAfterS;
  }
}

/** A request that changes something. Resolves with the body, undefined where there is none, or the failure in words. */
export async function send(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body: unknown,
): Promise<unknown> {
  try {
    const response = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    if (response.ok) return response.status === 204 ? undefined : await response.json();
    if (response.status === 401 && path !== paths.login) void loadSession();
    const told = HttpErrorSchema.safeParse(await response.json().catch(() => undefined));
    const seconds = Number(response.headers.get('retry-after'));
    return told.success
      ? new RequestFailure(
          told.data.code,
          told.data.message,
          told.data.remedy,
          seconds > 0 ? Math.ceil(seconds) : undefined,
        )
      : new RequestFailure('http', `The engine answered ${response.status}.`, 'See its log.');
  } catch {
    return new RequestFailure(
      'unreachable',
      'The engine does not answer.',
      'Check that it is running and that this machine reaches it, then try again.',
    );
  }
}
