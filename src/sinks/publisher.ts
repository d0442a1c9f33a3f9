/** How messages leave: stored kinds through the outbox until acknowledged, the others now or never. Knows no broker. */
import { Subject } from 'rxjs';
import { type LookaheadError } from '../errors.js';
import {
  type Heartbeat,
  isRevision,
  kindOf,
  type Message,
  type MessageKind,
  subjects,
} from '../messages.js';
import type { PublishReceipt } from '../types.js';
import { publishFailure } from './broker-errors.js';
import { type Attempt, deliver } from './deliver.js';
import { Outbox, type OutboxItem, type StoredKind } from './outbox.js';
import { isStored } from './streams.js';

/**
 * full: the outbox. oversize: the payload. behind: more core messages than the server reads. disconnected: a scene or
 * heartbeat while the server is away. refused: by the server, for good. closing: not stored when the engine left.
 */
export type BusDropReason = 'full' | 'oversize' | 'behind' | 'disconnected' | 'refused' | 'closing';

/** What counters count. */
export type BusEvent =
  | {
      readonly type: 'stored';
      readonly kind: StoredKind;
      readonly camera: string;
      /** From `publish` to the acknowledgement. */
      readonly tookMs: number;
      /** The server had it already: an earlier try had arrived. */
      readonly duplicate: boolean;
    }
  | { readonly type: 'sent'; readonly kind: MessageKind | 'heartbeat' }
  | { readonly type: 'retried'; readonly kind: StoredKind; readonly why: string }
  | {
      readonly type: 'dropped';
      readonly kind: MessageKind | 'heartbeat';
      readonly reason: BusDropReason;
      readonly why: string;
    };

export interface PublisherLimits {
  readonly outboxMessagesMax: number;
  readonly outboxBytesMax: number;
  /** What core publish may have sent without the server having read it. */
  readonly unreadBytesMax: number;
}

/** What the publisher needs of a broker. */
export interface BrokerPorts {
  /** Streams are there. */
  readonly canStore: () => boolean;
  /** Never rejects; settles in bounded time. `id` is the Nats-Msg-Id, by which the server removes doubles. */
  readonly store: (subject: string, data: Uint8Array, id: string) => Promise<StoreAttempt>;
  readonly canSend: () => boolean;
  /** Only while `canSend`. Resolves when the server has read it; may never settle when the connection is lost. */
  readonly send: (subject: string, data: Uint8Array) => Promise<void>;
  /** Longest message, in bytes. */
  readonly payloadMax: () => number;
}

export type StoreAttempt =
  | { readonly result: 'stored'; readonly duplicate: boolean }
  | Exclude<Attempt, { result: 'stored' }>;

interface Parcel extends OutboxItem {
  readonly id: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly offeredAtMs: number;
  readonly stored: (receipt: PublishReceipt) => void;
  readonly failed: (error: LookaheadError) => void;
}

/** Cameras that may wait for an acknowledgement at once. */
const inFlightMax = 64;

export type Publisher = ReturnType<typeof createPublisher>;

export function createPublisher(site: string, limits: PublisherLimits, broker: BrokerPorts) {
  const events = new Subject<BusEvent>();
  const outbox = new Outbox<Parcel>({
    messagesMax: limits.outboxMessagesMax,
    bytesMax: limits.outboxBytesMax,
    inFlightMax,
  });
  let closing = false;
  let unread = { bytes: 0 };

  const drop = (parcel: Parcel, reason: BusDropReason, why: string): void => {
    events.next({ type: 'dropped', kind: parcel.kind, reason, why });
    parcel.failed(publishFailure(parcel.kind, why));
  };

  const attempt = async (parcel: Parcel): Promise<Attempt> => {
    const tried = await broker.store(parcel.subject, parcel.data, parcel.id);
    if (tried.result === 'stored') {
      const ackedAtMs = Date.now();
      const { kind, camera, offeredAtMs } = parcel;
      const { duplicate } = tried;
      events.next({ type: 'stored', kind, camera, tookMs: ackedAtMs - offeredAtMs, duplicate });
      parcel.stored({ ackedAtMs });
    }
    return tried;
  };

  const delivery = deliver(outbox, {
    ready: broker.canStore,
    send: attempt,
    retried: ({ kind }, why) => events.next({ type: 'retried', kind, why }),
    refused: (parcel, why) => drop(parcel, 'refused', `the server refused it: ${why}`),
  });

  /** Undefined: may be sent now. */
  const hindrance = (data: Uint8Array): readonly [BusDropReason, string] | undefined => {
    if (closing) return ['closing', 'the engine is closing'];
    if (data.length > broker.payloadMax()) return tooLong(data);
    if (!broker.canSend()) return ['disconnected', 'the NATS server is away'];
    if (unread.bytes + data.length <= limits.unreadBytesMax) return undefined;
    return ['behind', 'the NATS server does not read fast enough'];
  };

  const tooLong = (data: Uint8Array): readonly [BusDropReason, string] => [
    'oversize',
    `it is ${data.length} bytes long, the server takes ${broker.payloadMax()}`,
  ];

  /** Core publish. Nothing is kept for later: the nats package would throw it away at the next connection, silently. */
  const sendNow = (
    kind: 'scene' | 'heartbeat',
    subject: string,
    message: object,
  ): string | null => {
    const data = encode(message);
    const hindered = hindrance(data);
    if (hindered !== undefined) {
      const [reason, why] = hindered;
      events.next({ type: 'dropped', kind, reason, why });
      return why;
    }
    const onThisConnection = unread;
    onThisConnection.bytes += data.length;
    const read = (): void => {
      onThisConnection.bytes -= data.length;
    };
    broker.send(subject, data).then(read, read);
    events.next({ type: 'sent', kind });
    return null;
  };

  return {
    events$: events.asObservable(),
    outbox,
    publish: (message: Message): Promise<PublishReceipt> => {
      const kind = kindOf(message);
      const { camera } = message;
      const subject = subjects.of(site, camera, kind);
      if (!isStored(kind)) {
        const why = sendNow('scene', subject, message);
        if (why === null) return Promise.resolve({ ackedAtMs: Date.now() });
        return Promise.reject(publishFailure(kind, why));
      }
      return new Promise((stored, failed) => {
        const data = encode(message);
        const parcel: Parcel = {
          camera,
          kind,
          id: messageId(message),
          subject,
          data,
          bytes: data.length,
          isRevision: isRevision(message),
          offeredAtMs: Date.now(),
          stored,
          failed,
        };
        if (closing) drop(parcel, 'closing', 'the engine is closing');
        else if (data.length > broker.payloadMax()) drop(parcel, ...tooLong(data));
        else {
          for (const victim of outbox.add(parcel)) drop(victim, 'full', 'the outbox is full');
          delivery.kick();
        }
      });
    },
    /** False: not sent, and counted. */
    heartbeat: (message: Heartbeat): boolean =>
      sendNow('heartbeat', subjects.heartbeat(site), message) === null,
    /** A new connection: what was sent over the last one is read or lost, and nobody will tell which. */
    connected: (): void => {
      unread = { bytes: 0 };
    },
    /** The broker is (again) ready to store. */
    resume: (): void => {
      outbox.wake();
      delivery.kick();
    },
    /** Sends what waits while it can be sent; what is left after the limit is dropped and counted. */
    close: async (limitMs: number): Promise<void> => {
      closing = true;
      await delivery.drained(limitMs);
      delivery.stop();
      for (const parcel of outbox.clear()) drop(parcel, 'closing', 'the engine is closing');
      events.complete();
    },
  };
}

const encoder = new TextEncoder();

function encode(message: object): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** The Nats-Msg-Id: the same for every try of one message, different for its updates. */
export function messageId(message: Message): string {
  switch (message.schema) {
    case 'lookahead.forecast.v1':
      return message.rev === 0 ? message.id : `${message.id}.${message.rev}`;
    case 'lookahead.event.v1':
    case 'lookahead.outcome.v1':
      return message.id;
    case 'lookahead.state.v1':
      return `${message.site}-${message.camera}-${message.state}-${message.since}`;
    case 'lookahead.score.v1':
      return `${message.site}-${message.camera}-score-${message.target}-${message.at}`;
    case 'lookahead.scene.v1':
      return `${message.site}-${message.camera}-scene-${message.from}`;
  }
}
