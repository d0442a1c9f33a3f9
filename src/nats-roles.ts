/**
 * What each of the three logins of a NATS server may do, for one site. The server beside the engine and deploy/nats both
 * have it from here.
 */
import { messageKinds, subjects } from './messages.js';
import { calibrationBucket } from './outcomes/calibration-entry.js';
import { storedKinds, streamName } from './sinks/streams.js';

export type NatsRole = 'pipeline' | 'robot' | 'dashboard';

/** As nats-server has it: what is not allowed is refused. */
export interface NatsPermissions {
  /** Subjects to publish on, requests among them. */
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Answers to whoever asked, so many to one question and so long, wherever it wants them. */
  readonly responses?: { readonly max: number; readonly expires: string };
}

/** Of every reply to a login of this role: a prefix of its own, so that no role hears what another was answered. */
export function inboxPrefixOf(role: NatsRole): string {
  return role === 'pipeline' ? '_INBOX' : `_INBOX_${role}`;
}

/** Key-value buckets of the engine. Added cameras are kept in the second one. */
const bucketNames = [calibrationBucket.name, 'cameras'];

/** @throws LookaheadError subject_invalid */
export function permissionsOf(role: NatsRole, site: string): NatsPermissions {
  const inbox = `${inboxPrefixOf(role)}.>`;
  const heard = [
    ...messageKinds.map((kind) => subjects.all(site, kind)),
    subjects.heartbeat(site),
    inbox,
  ];
  const streams = storedKinds.map((kind) => streamName(site, kind));
  const services = (names: readonly string[]): string[] =>
    names.map((name) => subjects.service(site, name));
  switch (role) {
    case 'pipeline': {
      const buckets = bucketNames.map((name) => `LOOKAHEAD_${site}_${name}`);
      return {
        publish: [
          `lookahead.v1.${site}.>`,
          '$JS.API.INFO',
          ...streams.flatMap((stream) => [...keeping(stream), ...reading(stream)]),
          ...buckets.flatMap((bucket) => [
            `$KV.${bucket}.>`,
            ...keeping(`KV_${bucket}`),
            ...reading(`KV_${bucket}`),
          ]),
        ],
        // Whoever offers a service is asked about it on $SRV.
        subscribe: [`lookahead.v1.${site}.>`, '$SRV.>', inbox],
        // An answer of `ask` comes in pieces, one for each token at most, within its deadline.
        responses: { max: 2048, expires: '15m' },
      };
    }
    case 'robot':
      return {
        publish: [
          ...services(['ask', 'cameras.list']),
          '$JS.API.INFO',
          '$JS.API.STREAM.NAMES',
          ...streams.flatMap((stream) => [...reading(stream), `$JS.ACK.${stream}.>`]),
        ],
        // The server delivers over MQTT with QoS 1 through subjects of its own.
        subscribe: [...heard, '$MQTT.sub.>'],
      };
    case 'dashboard':
      return {
        publish: [
          ...services(['ask', 'cameras.list', 'bundle.show']),
          ...streams.flatMap(directGet),
        ],
        subscribe: heard,
      };
  }
}

/** Makes a stream and brings it to our settings, and clears readers away. Nobody may delete or purge a stream. */
function keeping(stream: string): string[] {
  return [
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.UPDATE.${stream}`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
  ];
}

/** One message at a time, by sequence or subject: makes nothing on the server (ADR-31). */
function directGet(stream: string): string[] {
  return [`$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.>`];
}

/** Rows of messages need a consumer; one that is left behind goes by itself, so that nobody may delete another's. */
function reading(stream: string): string[] {
  return [
    ...directGet(stream),
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.*`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.FC.${stream}.>`,
  ];
}
