/** What the bus takes, tells and does: all that the rest of the engine needs to know of it. */
import type { Observable } from 'rxjs';
import type { LookaheadError } from '../errors.js';
import type { Heartbeat, Message } from '../messages.js';
import type { PublishReceipt } from '../types.js';
import type { BrokerLogin } from './broker-address.js';
import type { KeyValues } from './key-values.js';
import type { StoredKind } from './outbox.js';
import type { BusEvent } from './publisher.js';
import type { ServiceHandler, StreamHandler } from './services.js';
import { defaultBudgets } from './streams.js';

export const defaultBusLimits = {
  /** Stored messages that wait while the server is away: a camera fills about one a second. */
  outboxMessagesMax: 2_000,
  outboxBytesMax: 16 * 2 ** 20,
  /** A longer message is dropped and counted; the server's own bound holds too. */
  payloadBytesMax: 2 ** 20,
  /** What core publish may have sent without the server having read it. */
  unreadBytesMax: 2 * 2 ** 20,
  ackTimeoutMs: 5_000,
  connectTimeoutMs: 3_000,
  /** After two pings without an answer the connection is given up. */
  pingPeriodMs: 1_500,
  /** Pause between two tries to connect; after a refusal ten times as long. */
  reconnectMs: 500,
  streams: defaultBudgets,
};
export type BusLimits = Readonly<typeof defaultBusLimits>;

export interface BusOptions extends BrokerLogin {
  /** `nats://host:4222`; tried in this order. */
  readonly servers: readonly string[];
  readonly site: string;
  /** A reader makes no streams and publishes nothing. */
  readonly role?: 'engine' | 'reader' | undefined;
  /** Of the subjects that replies come on. Default: _INBOX. */
  readonly inboxPrefix?: string | undefined;
  /** Shown in the server's list of connections. */
  readonly name?: string | undefined;
  readonly limits?: Partial<BusLimits> | undefined;
}

export const busStates = [
  'connecting',
  'connected',
  'disconnected',
  'stale',
  'refused',
  'closed',
] as const;
export type BusStateName = (typeof busStates)[number];

export interface BusStatus {
  /** stale: the server stopped answering. refused: the login or the streams; tried again slowly. */
  readonly state: BusStateName;
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly why: string;
  /** Where the server could not be reached or refused: what to do about it. */
  readonly error?: LookaheadError;
}

export interface Received {
  readonly subject: string;
  readonly data: Uint8Array;
}

export interface HistoryRange {
  /** Absent: every camera. */
  readonly camera?: string | undefined;
  /** Wall clock: what was stored since then. */
  readonly sinceMs: number;
  /** Of more than so many the newest. */
  readonly max: number;
}

export interface Bus {
  readonly site: string;
  readonly status: BusStatus;
  /** Starts with the present status; completes after `close`. */
  readonly status$: Observable<BusStatus>;
  /** For counters. */
  readonly events$: Observable<BusEvent>;
  /** What waits to be stored, now. */
  readonly outbox: {
    readonly messages: number;
    readonly bytes: number;
    /** Messages of one camera. */
    readonly waiting: (camera: string) => number;
  };
  /** Resolves when connected (an engine: with its streams). Rejects with broker_refused or broker_unreachable. */
  ready(limitMs: number): Promise<void>;
  /**
   * Stored kinds resolve when the server has them, however long it is away, so never wait for one before the next;
   * scenes resolve when sent. Rejects with publish_failed when the message was dropped, which `events$` has told.
   */
  publish(message: Message): Promise<PublishReceipt>;
  /** Sent now or never. False: not sent, and counted. */
  heartbeat(message: Heartbeat): boolean;
  /** Listens, over reconnects. Returns what ends it. */
  subscribe(subject: string, listener: (received: Received) => void): () => void;
  /** The last stored message of one camera, or of each. */
  last(kind: StoredKind, camera?: string): Promise<Received[]>;
  /**
   * What is stored, oldest first, as it was when asked; page by page, so that little is held at a time. Nothing where no such
   * stream is. Throws broker_unreachable or broker_refused, also on the way.
   */
  history(kind: StoredKind, range: HistoryRange): AsyncIterable<Received>;
  /** A key-value bucket of this site; `history` versions of each key are kept. */
  keyValues(name: string, history: number): KeyValues;
  /** Answers requests on `lookahead.v1.<site>.svc.<name>`, over reconnects. */
  serve(name: string, description: string, handler: ServiceHandler): void;
  /** The same for a service that answers with a row of messages. */
  serveStream(name: string, description: string, handler: StreamHandler): void;
  /**
   * Asks such a service and emits its replies as they come; never completes: the last reply says that it is the last. Errors
   * with what the service said, with request_failed where nobody answers, with broker_* while the server is away.
   */
  call(name: string, request: object): Observable<unknown>;
  /** Sends what waits, then leaves. What is not stored in time is dropped and counted. */
  close(limitMs?: number): Promise<void>;
}
