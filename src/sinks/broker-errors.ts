/** What the NATS server or its client answered, in our words. Reads codes only, so it needs no client. */
import { LookaheadError, messageOf } from '../errors.js';
import type { MessageKind } from '../messages.js';

interface Coded {
  readonly code: string;
  readonly api_error?: {
    readonly code: number;
    readonly err_code: number;
    readonly description: string;
  };
}

function coded(error: unknown): Coded | undefined {
  const isCoded =
    error instanceof Error && 'code' in error && typeof (error as Coded).code === 'string';
  return isCoded ? (error as unknown as Coded) : undefined;
}

export function unreachable(url: string, why: string): LookaheadError {
  return new LookaheadError(
    'broker_unreachable',
    `The NATS server ${url} cannot be reached: ${why}.`,
    'Start it, or correct its address; forecasts wait meanwhile and the connection is tried again.',
  );
}

/** A failure of `connect`. `url` holds no login. */
export function connectFailure(url: string, error: unknown): LookaheadError {
  const code = coded(error)?.code ?? '';
  if (!/^(AUTHORIZATION_VIOLATION|AUTHENTICATION_|ACCOUNT_EXPIRED|BAD_CREDS|BAD_AUTH)/.test(code)) {
    return unreachable(url, messageOf(error));
  }
  return new LookaheadError(
    'broker_refused',
    `The NATS server ${url} refused the login (${code.toLowerCase().replaceAll('_', ' ')}).`,
    'Check user and password, token or credentials file of the NATS connection.',
    { cause: error },
  );
}

/** A failure of the JetStream API. */
export function streamFailure(error: unknown): LookaheadError {
  const code = coded(error)?.code ?? '';
  if (code === '503' || code === 'JETSTREAM_NOT_ENABLED') {
    return new LookaheadError(
      'broker_refused',
      'The NATS server has no JetStream, which stores forecasts.',
      'Start nats-server with -js (or a jetstream block in its configuration).',
      { cause: error },
    );
  }
  return new LookaheadError(
    'broker_refused',
    `The NATS server refused a stream: ${messageOf(error)}.`,
    'Check its JetStream limits, other streams on the same subjects, and the permissions of this login.',
    { cause: error },
  );
}

export function serviceFailure(name: string, error: unknown): LookaheadError {
  return new LookaheadError(
    'broker_refused',
    `The NATS server refused the service ${name}: ${messageOf(error)}.`,
    'Check the permissions of this login.',
    { cause: error },
  );
}

export function publishFailure(kind: MessageKind, why: string): LookaheadError {
  return new LookaheadError(
    'publish_failed',
    `A ${kind} message was dropped: ${why}.`,
    'See the state of the NATS connection; drops are counted by reason.',
  );
}

/** No such stream (10059) or no such message (10037, or 404 of a direct get). */
export function isMissing(error: unknown): boolean {
  const found = coded(error);
  return (
    found?.api_error?.err_code === 10059 || found?.api_error?.code === 404 || found?.code === '404'
  );
}

/** The connection ended under the request, or the server has fallen silent. */
export function isLost(error: unknown): boolean {
  const found = coded(error);
  // 10008: the server is stopping, and its JetStream has stopped already.
  return (
    found?.api_error?.err_code === 10008 ||
    /^(CONNECTION_(CLOSED|DRAINING)|DISCONNECT|TIMEOUT)$/.test(found?.code ?? '')
  );
}

/** A value was to follow another one that is no longer the newest (10071). */
export function isNewer(error: unknown): boolean {
  return coded(error)?.api_error?.err_code === 10071;
}

/** Nobody answered on the stream's subject. */
export function isNoStream(error: unknown): boolean {
  return coded(error)?.code === '503' && coded(error)?.api_error === undefined;
}

/** Trying again cannot help: the server understood the message and does not want it. */
export function isFinal(error: unknown): boolean {
  const found = coded(error);
  const code = found?.api_error?.code;
  return (
    found?.code === 'PERMISSIONS_VIOLATION' ||
    found?.code === 'MAX_PAYLOAD_EXCEEDED' ||
    (code !== undefined && code >= 400 && code < 500)
  );
}

export function nobodyAnswers(name: string): LookaheadError {
  return new LookaheadError(
    'request_failed',
    `No engine of this site answers "${name}".`,
    'Is an engine running, on this server and of this site (--nats, --site)?',
  );
}
