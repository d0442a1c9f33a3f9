/** What is sent back: one shape for every route, and the headers that every answer has. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { LookaheadError, type ErrorCode } from '../errors.js';
import type { HttpError } from './contract.js';

export interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

/** Thrown by whatever refuses a request; says the status that it gets. */
export class Refusal extends LookaheadError {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    remedy: string,
    headers: OutgoingHttpHeaders = {},
  ) {
    super(code, message, remedy);
    this.status = status;
    this.headers = headers;
  }
}

export function text(status: number, body: string, type = 'text/plain; charset=utf-8'): Reply {
  return { status, type, body };
}

export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** Errors as JSON where programs read them, as two lines elsewhere. */
export function failure(error: unknown, path: string): Reply {
  const { status, headers, ...said } = faultOf(error);
  const reply = /^\/(api\/|login$|logout$)/.test(path)
    ? json(status, said)
    : text(status, `${said.message}\n${said.remedy}\n`);
  return { ...reply, headers };
}

export interface Fault extends HttpError {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** Of a programming error only its existence is told. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof LookaheadError)) {
    const message = 'The request could not be answered.';
    const remedy = 'See the log of the engine.';
    return { status: 500, code: 'request_failed', message, remedy, headers: {} };
  }
  const { code, message, remedy } = error;
  if (error instanceof Refusal) {
    return { status: error.status, code, message, remedy, headers: error.headers };
  }
  return { status: statuses[code] ?? 500, code, message, remedy, headers: {} };
}

/** What is the camera's fault is that of a server behind this one. */
const statuses: Partial<Record<ErrorCode, number>> = {
  request_invalid: 400,
  source_refused: 400,
  config_invalid: 400,
  subject_invalid: 400,
  credential_unknown: 400,
  login_required: 401,
  login_refused: 401,
  camera_unknown: 404,
  camera_exists: 409,
  camera_fixed: 409,
  queue_full: 429,
  camera_refused: 502,
  camera_not_found: 502,
  camera_unreachable: 502,
  camera_ended: 502,
  camera_silent: 502,
  camera_no_video: 502,
  ffmpeg_failed: 502,
  broker_unreachable: 503,
  broker_refused: 503,
  publish_failed: 503,
};

/** `host`: that of the request. */
export function send(response: ServerResponse, reply: Reply, host: string | undefined): void {
  const { status, type, body = '', headers } = reply;
  response.writeHead(status, {
    'content-security-policy': contentPolicy(host),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
    // A body that was sent along may not have been read, so the connection cannot be used again.
    ...(status >= 400 ? { connection: 'close' } : {}),
    ...headers,
  });
  response.end(body);
}

/** Nothing from elsewhere, nothing inline: what a model or a camera says can never become a script. */
function contentPolicy(host: string | undefined): string {
  // Older browsers do not count WebSockets of this very host as 'self'.
  const isPlain = host !== undefined && /^[a-z0-9.[\]:-]{1,255}$/i.test(host);
  const sockets = isPlain ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self'${sockets}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
