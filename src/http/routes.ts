/** From a request to whoever answers it, past everything that may refuse it. */
import type { IncomingMessage } from 'node:http';
import type { Guard } from './guard.js';
import type { Login } from './login.js';
import { Refusal, type Reply } from './reply.js';
import type { Visitor } from './sessions.js';

export interface Asked {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined: a stranger. */
  readonly visitor: Visitor | undefined;
}

/** What is thrown becomes an answer: see `faultOf`. */
export type Handler = (asked: Asked) => Reply | Promise<Reply>;

export interface Route extends Partial<Record<Method, Handler>> {
  /** Strangers get an answer too. */
  readonly isOpen?: boolean;
}

export type Routes = ReadonlyMap<string, Route>;

const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
type Method = (typeof methods)[number];

/** Takes a request apart. The path stays as it came: nothing is decoded, so nothing means what it does not say. */
export function askedOf(request: IncomingMessage, login: Login): Asked {
  const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
  return {
    request,
    path,
    query: new URLSearchParams(search),
    visitor: login.visitorOf(request),
  };
}

/** Rejects with a Refusal, or whatever the handler throws. */
export async function answer(asked: Asked, routes: Routes, guard: Guard): Promise<Reply> {
  const { request, path, visitor } = asked;
  guard.checkHost(request);
  const route = routes.get(path);
  if (route === undefined) throw nothingHere();
  const method = request.method === 'HEAD' ? 'GET' : methods.find((one) => one === request.method);
  const handler = method === undefined ? undefined : route[method];
  if (handler === undefined) throw notAllowed(route);
  if (method !== 'GET') guard.checkOrigin(request);
  if (route.isOpen !== true && visitor === undefined) throw loginRequired();
  return handler(asked);
}

export function nothingHere(): Refusal {
  return new Refusal(404, 'request_invalid', 'There is nothing here.', 'The dashboard is at /.');
}

export function loginRequired(): Refusal {
  return new Refusal(
    401,
    'login_required',
    'This is only for those who are logged in.',
    'Log in on the dashboard, or send the token of http.token as authorization: Bearer TOKEN.',
    { 'www-authenticate': 'Bearer' },
  );
}

function notAllowed(route: Route): Refusal {
  const allowed = methods
    .filter((method) => route[method] !== undefined)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');
  return new Refusal(
    405,
    'request_invalid',
    'This method is not answered here.',
    `Use ${allowed}.`,
    { allow: allowed },
  );
}
