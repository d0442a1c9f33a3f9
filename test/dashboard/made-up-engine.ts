/**
 * An engine for the page to look at: a real nats-server with its WebSocket, our own bus, and made-up cameras that say what
 * real ones would. No model runs, so twenty cameras cost next to nothing.
 */
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import type { Forecast, Message } from '../../src/messages.js';
import {
  bundle,
  horizonMs,
  madeUpEvent,
  madeUpForecast,
  madeUpOutcome,
  madeUpScene,
  madeUpScore,
  periodMs,
  site,
  type MadeUpCamera,
} from './made-up-camera.js';
import { startRealServer } from './real-server.js';
import { madeUpStill, startTestPictures } from './test-pictures.js';

export interface MadeUpEngine {
  /** Of the page. */
  readonly url: string;
  /** What the camera said last. */
  newest(camera: string): Forecast;
  publish(message: Message): Promise<unknown>;
  /** Live pictures that are being watched. */
  readonly viewers: () => number;
  /** No heartbeat, no message, while the connection stays: as an engine that hangs. */
  readonly hush: (isHushed: boolean) => void;
  /** Ends every connection of the page and refuses new ones. */
  readonly shut: (isShut: boolean) => Promise<void>;
  close(): Promise<void>;
}

/** So much was said before the page comes. */
const backlog = 12;

export async function startMadeUpEngine(cameras: readonly MadeUpCamera[]): Promise<MadeUpEngine> {
  const pictures = await startTestPictures();
  const png = madeUpStill();
  const web = await startRealServer({
    ...{ site, viewersMax: 4, pictures },
    stills: { png: (_camera, atMs = Date.now()) => Promise.resolve({ png, atMs }) },
  });
  const bus = await connectBus({ servers: [web.natsUrl], site });
  await bus.ready(10_000);
  const newest = new Map<string, Forecast>();
  let isHushed = false;
  const startedMs = Date.now();
  serveCameraList(bus, cameras, startedMs);

  const say = async (message: Message | undefined): Promise<void> => {
    if (message !== undefined && !isHushed) await bus.publish(message);
  };
  const forecastOf = async (
    camera: MadeUpCamera,
    sequence: number,
    toMs: number,
  ): Promise<void> => {
    const first = madeUpForecast(camera, sequence, toMs);
    newest.set(camera.name, first);
    await say(first);
    await say(madeUpForecast(camera, sequence, toMs, 1));
  };
  const outcomeOf = async (camera: MadeUpCamera, sequence: number, toMs: number): Promise<void> => {
    const outcome = madeUpOutcome(madeUpForecast(camera, sequence, toMs));
    await say(madeUpEvent(outcome));
    await say(outcome);
  };

  const speaking = cameras.filter(({ state = 'online' }) => state === 'online');
  const lastOf = (camera: MadeUpCamera): number => startedMs - 1_000 + stagger(camera, cameras);
  for (const camera of speaking) {
    await bus.publish(madeUpScore(camera));
    for (let sequence = 0; sequence < backlog; sequence++) {
      const toMs = lastOf(camera) - (backlog - 1 - sequence) * periodMs;
      await forecastOf(camera, sequence, toMs);
      if (toMs + horizonMs < startedMs) await outcomeOf(camera, sequence, toMs);
    }
  }

  const timers = speaking.flatMap((camera) => {
    let clip = 0;
    let sequence = backlog;
    const toMsOf = (n: number): number => lastOf(camera) + (n - backlog + 1) * periodMs;
    let decided = Math.floor((Date.now() - horizonMs - toMsOf(0)) / periodMs) + 1;
    return [
      setInterval(() => void say(madeUpScene(camera, clip++)), 1_000),
      setInterval(() => {
        while (toMsOf(sequence) < Date.now() - 60)
          void forecastOf(camera, sequence, toMsOf(sequence++));
        while (toMsOf(decided) + horizonMs < Date.now() - 60) {
          void outcomeOf(camera, decided, toMsOf(decided++));
        }
      }, 100),
    ];
  });
  let beats = 0;
  timers.push(
    setInterval(() => {
      if (isHushed) return;
      const states = cameras.map(({ name, state = 'online' }) => [name, state] as const);
      bus.heartbeat({
        schema: 'lookahead.heartbeat.v1',
        site,
        at: new Date().toISOString(),
        epoch: 1,
        sequence: beats++,
        cameras: Object.fromEntries(states),
        bundle,
      });
    }, 500),
  );

  return {
    url: web.url,
    newest: (camera) => newest.get(camera)!,
    publish: (message) => bus.publish(message),
    hush: (now) => (isHushed = now),
    viewers: web.viewers,
    shut: web.shut,
    close: async () => {
      timers.forEach(clearInterval);
      await bus.close(1_000);
      await web.close();
      pictures.close();
    },
  };
}

/** Cameras do not all speak at once. */
function stagger(camera: MadeUpCamera, cameras: readonly MadeUpCamera[]): number {
  return Math.round((cameras.indexOf(camera) / cameras.length) * periodMs);
}

function serveCameraList(bus: Bus, cameras: readonly MadeUpCamera[], startedMs: number): void {
  const since = new Date(startedMs - 240_000).toISOString();
  bus.serve('cameras.list', 'made up', () => ({
    schema: 'lookahead.cameras.v1',
    site,
    cameras: cameras.map(({ name, state = 'online', why = '' }) => ({
      camera: name,
      state,
      since,
      why,
    })),
  }));
}
