/** Yards as RTSP cameras and as a page that shows the same: each world is drawn once, for the encoder and the page. */
import { framesPerSecond } from '../data/film-scene.js';
import { drawnSplit, openScene } from '../data/splits.js';
import type { Split } from '../data/splits.js';
import { listenRtsp } from '../listen-rtsp.js';
import type { RtspServer } from '../rtsp-server.js';
import { runFfmpeg } from '../run-ffmpeg.js';
import { YardCamera } from '../yard-camera.js';
import type { Size } from '../yard-camera.js';
import type { Told } from './messages.js';
import { startPageServer } from './page-server.js';
import { openRecordedScenes } from './recorded-scenes.js';
import { ReplayedScene } from './replayed-scene.js';
import type { Scene } from './scene.js';
import { Viewers } from './viewers.js';
import { WatchedCamera } from './watched-camera.js';
import { YardScene } from './yard-scene.js';

export const camerasMax = 64;

export interface WatchOptions {
  readonly source:
    | {
        readonly kind: 'live';
        readonly split: Split;
        readonly seed: number;
        readonly cameras: number;
        /** What the encoder scales the pictures to; null: as drawn. */
        readonly size: Size | null;
      }
    | { readonly kind: 'recorded'; readonly dir: string; readonly cameras: number };
  /** 0: any free one; so for both. */
  readonly port: number;
  readonly rtspPort: number;
  readonly ffmpegPath: string;
}

export interface Watch {
  readonly pageUrl: string;
  /** By camera. */
  readonly rtspUrls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Pictures for the page, a second; a live yard is drawn twice as often, and a recording as often. */
const showMs = 1000 / framesPerSecond;
/** pBayes may take an eighth of a core: a slice of time this long, and this often. */
const sliceMs = 4;
const sliceEveryMs = 32;
const remedyOfPort = 'Choose another one with --rtsp-port PORT (0: any free one).';

interface Source {
  readonly name: string;
  readonly scene: Scene;
  readonly isLive: boolean;
  readonly rtspUrl: string;
}

/** Rejects with a LookaheadError: port_taken, ffmpeg_missing, recording_unusable, usage. */
export async function watchYard(options: WatchOptions): Promise<Watch> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    // In turn, the last opened first; what cannot be closed does not keep the others open.
    for (const closeOne of closers.splice(0).reverse()) {
      try {
        await closeOne();
      } catch {
        continue;
      }
    }
  };
  try {
    const rtsp = await listenRtsp(options.rtspPort, remedyOfPort);
    closers.push(() => rtsp.close());
    const { sources, title } =
      options.source.kind === 'live'
        ? await openLive(options.source, options.ffmpegPath, rtsp, closers)
        : await openRecorded(options.source, rtsp, closers);
    const tell = (told: Told): void => viewers.tell(told);
    const clock = (): number => Date.now();
    const cameras = sources.map(
      (source, index) => new WatchedCamera({ ...source, index, clock, tell }),
    );
    const viewers = new Viewers(cameras, title);
    const rtspUrls = Object.fromEntries(sources.map(({ name, rtspUrl }) => [name, rtspUrl]));
    const facts = { title, cameras: cameras.map((camera) => camera.facts) };
    const page = await startPageServer({ port: options.port, viewers, facts });
    closers.push(() => page.close());
    const show = setInterval(() => viewers.show(), showMs);
    const work = setInterval(workerFor(cameras), sliceEveryMs);
    closers.push(() => {
      clearInterval(show);
      clearInterval(work);
      for (const { rounds } of cameras) rounds.close();
    });
    return { pageUrl: page.url, rtspUrls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type LiveSource = Extract<WatchOptions['source'], { kind: 'live' }>;
type RecordedSource = Extract<WatchOptions['source'], { kind: 'recorded' }>;
type Closers = (() => Promise<void> | void)[];
interface Opened {
  readonly sources: readonly Source[];
  readonly title: string;
}

async function openLive(
  { split, seed, cameras, size }: LiveSource,
  ffmpegPath: string,
  rtsp: RtspServer,
  closers: Closers,
): Promise<Opened> {
  await runFfmpeg(ffmpegPath, ['-hide_banner', '-version']); // Is it there at all?
  const sources = Array.from({ length: cameras }, (_, index) => {
    const name = `yard-${String(index)}`;
    const scene = YardScene.open(split, seed, index);
    const mount = rtsp.mountLive(name, { framesPerSecond: scene.framesPerSecond });
    const camera = new YardCamera(ffmpegPath, scene, mount, size);
    closers.push(() => camera.close());
    return { name, scene, isLive: true, rtspUrl: rtsp.url(name) };
  });
  return { sources, title: `${split}, seed ${String(seed)}` };
}

async function openRecorded(
  { dir, cameras }: RecordedSource,
  rtsp: RtspServer,
  closers: Closers,
): Promise<Opened> {
  const { recording, scenes } = await openRecordedScenes(dir, cameras);
  const { split, seed } = recording;
  const replays = scenes.map(({ name, index, annexB, pictures }) => {
    rtsp.mountRecording(name, { annexB, framesPerSecond });
    const open = (): ReturnType<typeof openScene> => openScene(drawnSplit(split), seed, index);
    const scene = new ReplayedScene({ open, pictures, nowMs: () => performance.now() });
    return { name, scene, isLive: false, rtspUrl: rtsp.url(name) };
  });
  const follow = setInterval(() => {
    for (const { scene } of replays) scene.follow();
  }, showMs);
  closers.push(() => clearInterval(follow));
  return { sources: replays, title: `${split}, seed ${String(seed)}, recorded` };
}

/** Cameras take turns, so that one which is watched does not keep the others' events waiting. */
function workerFor(cameras: readonly WatchedCamera[]): () => void {
  let turn = 0;
  return () => {
    const endMs = performance.now() + sliceMs;
    let idle = 0;
    while (idle < cameras.length && performance.now() < endMs) {
      const { rounds } = cameras[turn++ % cameras.length]!;
      idle = rounds.hasWork ? 0 : idle + 1;
      rounds.work();
    }
  };
}
