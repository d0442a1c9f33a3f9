/** Follows what a site publishes, as lines for people or as the raw messages. */
import { z } from 'zod';
import type { Console } from '../console.js';
import { messageOf } from '../errors.js';
import { lagMs } from '../lag.js';
import {
  EventMessageSchema,
  ForecastSchema,
  type Message,
  OutcomeSchema,
  ScoreSchema,
  StateMessageSchema,
  subjects,
} from '../messages.js';
import type { Bus, Received } from './bus.js';
import { messageId } from './publisher.js';
import { storedKinds } from './streams.js';

/** An engine beats every second; so many without a beat and it is silent. */
export const silentAfterMs = 3_000;

/** Messages of which a repetition is noticed. */
const shownMax = 1_000;

export interface TailOptions {
  readonly camera?: string | undefined;
  /** Lines for people. */
  readonly console: Pick<Console, 'message' | 'state' | 'log'>;
  /** Raw messages instead, one a line. */
  readonly raw?: ((line: string) => void) | undefined;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
}

/** Loose: fields that a later engine adds are let through. */
const StoredMessageSchema = z.discriminatedUnion('schema', [
  ForecastSchema,
  EventMessageSchema,
  OutcomeSchema,
  ScoreSchema,
  StateMessageSchema,
]);

/**
 * Listens first and then reads the last forecast of each camera, so that none is missed between the two. Returns what
 * ends it.
 */
export async function tail(bus: Bus, options: TailOptions): Promise<() => void> {
  const { camera, console, raw, now = Date.now } = options;
  const newest = new Map<string, number>();
  const shown = new Set<string>();
  let isSilent = false;

  const show = ({ subject, data }: Received, isLive: boolean): void => {
    const text = new TextDecoder().decode(data);
    let message: Message;
    try {
      message = StoredMessageSchema.parse(JSON.parse(text));
    } catch (error) {
      console.log('warn', `${subject}: not a message of version 1: ${messageOf(error)}`);
      return;
    }
    // A message that the server was sent twice is heard twice.
    const id = `${message.schema} ${messageId(message)}`;
    if (shown.has(id)) return;
    shown.add(id);
    if (shown.size > shownMax) shown.delete([...shown][0] ?? '');
    if (message.schema === 'lookahead.forecast.v1' && message.target === 'next') {
      const issuedAtMs = Date.parse(message.issuedAt);
      if (!isLive && (newest.get(message.camera) ?? 0) >= issuedAtMs) return;
      newest.set(message.camera, issuedAtMs);
    }
    if (raw !== undefined) raw(text);
    else if (message.schema === 'lookahead.state.v1') {
      console.state(message.camera, message.state, message.why);
    } else if (message.schema === 'lookahead.forecast.v1' && !isLive) {
      const ageS = ((now() - Date.parse(message.validUntil)) / 1_000).toFixed(0);
      if (Date.parse(message.validUntil) > now()) {
        // Whoever comes late knows the chances of no revision.
        console.message({ ...message, rev: 0 }, lagMs(message, now()));
        if (message.rev > 0) console.message(message, null);
      } else console.log('info', `${message.camera}: the last forecast ended ${ageS} s ago.`);
    } else console.message(message, isLive && 'window' in message ? lagMs(message, now()) : 0);
  };

  const watchSilence = (): NodeJS.Timeout =>
    setTimeout(() => {
      isSilent = true;
      console.log(
        'warn',
        `No engine of the site ${bus.site} is heard: what comes next is unknown.`,
      );
    }, silentAfterMs);
  let silence = watchSilence();

  const stops = storedKinds.map((kind) =>
    bus.subscribe(
      camera === undefined ? subjects.all(bus.site, kind) : subjects.of(bus.site, camera, kind),
      (received) => show(received, true),
    ),
  );
  stops.push(
    bus.subscribe(subjects.heartbeat(bus.site), () => {
      clearTimeout(silence);
      silence = watchSilence();
      if (isSilent) console.log('info', `The engine of the site ${bus.site} is heard again.`);
      isSilent = false;
    }),
  );
  const watching = bus.status$.subscribe({
    next: ({ state, why }) => {
      if (state !== 'connected' && state !== 'closed') console.log('warn', why);
    },
    error: (error: unknown) => console.log('error', messageOf(error)),
  });

  for (const received of await bus.last('forecast', camera)) show(received, false);
  return () => {
    clearTimeout(silence);
    watching.unsubscribe();
    for (const stop of stops) stop();
  };
}
