/** Live pictures for people: for each camera that someone watches, one child process, ended soon after the last viewer left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LookaheadError } from '../errors.js';
import { sourceOf, type Camera } from './open-camera.js';
import type { PreviewAnswer, PreviewSpec } from './preview-process.js';
import { redactor } from './redact.js';
import { failureOf, StderrReader } from './stderr.js';

export interface PreviewsOptions {
  readonly ffmpegPath: string;
  /** Where a camera is read now; undefined: there is no such camera. */
  readonly cameraOf: (name: string) => Promise<Camera | undefined>;
  /** Warnings of ffmpeg, without secrets. */
  readonly onWarning?: (camera: string, line: string) => void;
  /** From the last viewer's leaving to the end. Default 10 s. */
  readonly lingerMs?: number;
  /** Without a picture for so long it is given up. Default 15 s. */
  readonly silenceMaxMs?: number;
  /** Default 640: what a browser decodes without effort. */
  readonly widthMaxPx?: number;
}

export interface Preview {
  /** A WebSocket on loopback that sends MPEG-1 in MPEG-TS, as jsmpeg plays it. It closes when the camera is lost. */
  readonly url: string;
  /** Must be called once. */
  release(): void;
}

/** `src/ingest` and `dist/ingest` lie equally deep; children run compiled code. */
const script = fileURLToPath(new URL('../../dist/ingest/preview-process.js', import.meta.url));

export class Previews {
  readonly #options: PreviewsOptions;
  readonly #running = new Map<string, Running>();
  /** Those, and those that were told to end and have not yet. */
  readonly #processes = new Set<Running>();
  #isClosed = false;

  constructor(options: PreviewsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the picture comes; viewers of one camera share one process and one connection to the camera (beside the
   * engine's own).
   *
   * @throws LookaheadError `camera_not_found`, `camera_refused`, `camera_unreachable`, `ffmpeg_failed`, `source_refused`, ...
   */
  async open(camera: string): Promise<Preview> {
    const running = this.#running.get(camera) ?? this.#start(camera);
    running.viewers += 1;
    clearTimeout(running.lingering);
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      running.viewers -= 1;
      if (running.viewers > 0) return;
      running.lingering = setTimeout(running.stop, this.#options.lingerMs ?? 10_000);
    };
    try {
      return { url: await running.url, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends that of one camera, at once: its viewers are to see another one, or none. */
  end(camera: string): void {
    this.#running.get(camera)?.stop();
    this.#running.delete(camera);
  }

  /** Ends all; resolves when no process is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#processes];
    for (const { stop } of all) stop();
    await Promise.all(all.map(({ ended }) => ended));
  }

  #start(camera: string): Running {
    if (this.#isClosed) throw notFound(camera);
    const abort = new AbortController();
    let ended: Promise<void> = Promise.resolve();
    const url = new Promise<string>((resolve, reject) => {
      ended = runPreview(camera, this.#options, abort.signal, resolve)
        .then(reject, reject)
        .finally(() => {
          clearTimeout(running.lingering);
          this.#processes.delete(running);
          if (this.#running.get(camera) === running) this.#running.delete(camera);
        });
    });
    const running: Running = {
      viewers: 0,
      lingering: undefined,
      url,
      ended,
      stop: () => abort.abort(),
    };
    this.#running.set(camera, running);
    this.#processes.add(running);
    return running;
  }
}

interface Running {
  viewers: number;
  lingering: NodeJS.Timeout | undefined;
  readonly url: Promise<string>;
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

/** Resolves when process and ffmpeg are gone, with the reason; `onUrl` is called once the picture comes. */
async function runPreview(
  name: string,
  options: PreviewsOptions,
  signal: AbortSignal,
  onUrl: (url: string) => void,
): Promise<LookaheadError> {
  const camera = await options.cameraOf(name);
  if (camera === undefined || signal.aborted) return notFound(name);
  const source = sourceOf(camera);
  if (source.kind !== 'rtsp') return notFound(name);
  const stderr = new StderrReader({
    redact: redactor(source.secrets),
    onSize: () => undefined,
    onDecodeErrors: () => undefined,
    onWarning: (line) => options.onWarning?.(name, line),
  });
  const spec: PreviewSpec = {
    url: source.url,
    transport: camera.transport ?? 'tcp',
    ffmpegPath: options.ffmpegPath,
    path: `/${randomUUID()}`,
    widthMaxPx: options.widthMaxPx ?? 640,
    privacyMasks: camera.privacyMasks ?? [],
    silenceMaxMs: options.silenceMaxMs ?? 15_000,
  };
  // A process group of its own: ffmpeg goes when the process goes, however it went.
  const child = spawn(process.execPath, [script], { stdio: 'pipe', detached: true });
  const how = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve('the live picture ended'));
  });
  child.once('exit', () => killGroup(child));
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(spec)}\n`);
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  createInterface(child.stdout).once('line', (line) => {
    const { port } = JSON.parse(line) as PreviewAnswer;
    onUrl(`ws://127.0.0.1:${port}${spec.path}`);
  });
  const stop = (): void => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => killGroup(child), 2000);
    child.once('exit', () => clearTimeout(timer));
  };
  signal.addEventListener('abort', stop);
  const reason = await how;
  return failureOf(name, stderr.lines, reason);
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of the group are gone already.
  }
}

function notFound(camera: string): LookaheadError {
  return new LookaheadError(
    'camera_not_found',
    `${camera}: there is no such camera.`,
    'Choose one of the cameras in the configuration.',
  );
}
