/**
 * The way to NATS: the server's own WebSocket, through the engine's port, as the read-only account of dashboards. It can
 * hear, ask, and read what is stored by direct get; it can publish, create and change nothing.
 */
import {
  createInbox,
  wsconnect,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Subscription,
} from '@nats-io/nats-core';
import { paths, type Session } from '../../http/contract.js';

export interface Stored {
  readonly sequence: number;
  readonly atMs: number;
  readonly subject: string;
  /** JSON. */
  readonly value: unknown;
}

export interface NatsLink {
  /** Calls for every message until the link is lost. What is no JSON is passed over. */
  listen(subject: string, onMessage: (value: unknown, subject: string) => void): void;
  /** The last stored message of a subject. */
  last(stream: string, subject: string): Promise<Stored | undefined>;
  /** The first stored message from a sequence on; `subject` may hold wildcards. */
  next(stream: string, sequence: number, subject: string): Promise<Stored | undefined>;
  ask(subject: string, request: unknown, timeoutMs?: number): Promise<unknown>;
  /** Replies as they come, until one says `more: false`, an error comes, `idleMs` pass without one, or the signal fires. */
  askMany(
    subject: string,
    request: unknown,
    idleMs: number,
    signal?: AbortSignal,
  ): AsyncIterable<unknown>;
  /** Resolves when the connection is lost; it does not come back by itself. */
  readonly ended: Promise<unknown>;
}

const requestMs = 5_000;
const inboxPrefix = '_INBOX_dashboard';

/** Rejects where the engine or NATS does not let us in. */
export async function openLink(session: Session): Promise<NatsLink> {
  const account = session.engine?.nats;
  const { protocol, host } = location;
  const nc = await wsconnect({
    servers: `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${paths.nats}`,
    name: 'lookahead dashboard',
    inboxPrefix,
    // Other servers of a cluster are not reachable through this port.
    ignoreClusterUpdates: true,
    // Whoever is let in no longer would be refused for ever: the engine is asked anew who we are.
    reconnect: false,
    pingInterval: 10_000,
    maxPingOut: 2,
    // A browser opens one WebSocket of an address at a time: this one may wait for the live pictures of other tabs.
    timeout: 15_000,
    ...(account?.user == null ? {} : { user: account.user }),
    ...(account?.password == null ? {} : { pass: account.password }),
  });
  return {
    listen: (subject, onMessage) => {
      nc.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) return;
          const value = jsonOf(message);
          if (value !== undefined) onMessage(value, message.subject);
        },
      });
    },
    last: (stream, subject) => directGet(nc, stream, { last_by_subj: subject }),
    next: (stream, sequence, subject) =>
      directGet(nc, stream, { seq: sequence, next_by_subj: subject }),
    ask: async (subject, request, timeoutMs = requestMs) => {
      const reply = await nc.request(subject, JSON.stringify(request), { timeout: timeoutMs });
      return jsonOf(reply);
    },
    askMany: (subject, request, idleMs, signal) => askMany(nc, subject, request, idleMs, signal),
    ended: nc.closed(),
  };
}

function jsonOf(message: Pick<Msg, 'json'>): unknown {
  try {
    return message.json<unknown>();
  } catch {
    return undefined;
  }
}

async function directGet(
  nc: NatsConnection,
  stream: string,
  what: object,
): Promise<Stored | undefined> {
  const reply = await nc.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(what), {
    timeout: requestMs,
  });
  const { headers } = reply;
  // 404: nothing (more) is stored.
  if (headers === undefined || headers.code >= 400) return undefined;
  return {
    sequence: Number(headers.get('Nats-Sequence')),
    atMs: timeOf(headers),
    subject: headers.get('Nats-Subject'),
    value: jsonOf(reply),
  };
}

/** Nanoseconds are more than a Date takes; a server writes `2026-01-01T00:00:00.123456789Z`. */
function timeOf(headers: MsgHdrs): number {
  return Date.parse(headers.get('Nats-Time-Stamp').replace(/(\.\d{3})\d+/, '$1'));
}

async function* askMany(
  nc: NatsConnection,
  subject: string,
  request: unknown,
  idleMs: number,
  signal: AbortSignal | undefined,
): AsyncIterable<unknown> {
  const inbox = createInbox(inboxPrefix);
  const replies: Subscription = nc.subscribe(inbox);
  // The engine notices that nobody listens any more, and stops.
  const leave = (): void => replies.unsubscribe();
  signal?.addEventListener('abort', leave);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => replies.unsubscribe(), idleMs);
  };
  try {
    nc.publish(subject, JSON.stringify(request), { reply: inbox });
    wait();
    for await (const reply of replies) {
      if (reply.headers?.code === 503) return; // Nobody answers there.
      const value = jsonOf(reply);
      yield value;
      wait();
      const isLast = (value as { more?: unknown } | undefined)?.more !== true;
      if (isLast) return;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
    replies.unsubscribe();
  }
}
