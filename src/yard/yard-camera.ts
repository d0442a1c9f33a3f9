/** A yard camera: the film drawn at its own pace, encoded by ffmpeg, fed to a live mount. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { LiveMount } from './rtsp-server.js';

/** What is drawn: a `YardScene`, or a test's stand-in. */
export interface Film {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly framesPerSecond: number;
  /** The next picture, rgba, heightPx x widthPx x 4. */
  next(): Buffer;
}

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

const encoderRestartMs = 1000;
/** After a pause (a sleeping machine) the film goes on from where it was. */
const lateMaxS = 2;

export class YardCamera {
  readonly #ffmpegPath: string;
  readonly #film: Film;
  readonly #mount: LiveMount;
  readonly #scale: readonly string[];
  #encoder: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #isBlocked = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #whenExited: Promise<void> = Promise.resolve();

  /** @param size what the encoder scales the film to, both even; null: it stays as it is */
  constructor(ffmpegPath: string, film: Film, mount: LiveMount, size: Size | null = null) {
    this.#ffmpegPath = ffmpegPath;
    this.#film = film;
    this.#mount = mount;
    this.#scale = size
      ? ['-vf', `scale=${String(size.widthPx)}:${String(size.heightPx)}:flags=bicubic`]
      : [];
    this.#encode();
    this.#draw();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#restartTimer);
    this.#encoder?.kill('SIGKILL');
    await this.#whenExited;
  }

  /** A picture for every tick of the monotonic clock. */
  #draw(): void {
    const { framesPerSecond } = this.#film;
    let startedAtMs = performance.now();
    let drawn = 0;
    const tick = (): void => {
      const due = Math.floor(((performance.now() - startedAtMs) / 1000) * framesPerSecond) + 1;
      if (due - drawn > lateMaxS * framesPerSecond) {
        startedAtMs = performance.now();
        drawn = 0;
      }
      // One at a time: a camera that is late must not keep the other ones waiting until it has caught up.
      if (drawn < due) {
        this.#offer(this.#film.next());
        drawn += 1;
      }
      const nextAtMs = startedAtMs + (drawn / framesPerSecond) * 1000;
      this.#timer = setTimeout(tick, Math.max(0, nextAtMs - performance.now()));
    };
    tick();
  }

  #offer(picture: Buffer): void {
    const stdin = this.#encoder?.stdin;
    // The film's world goes on while the encoder is busy, so a picture is skipped and never queued.
    if (stdin === undefined || !stdin.writable || this.#isBlocked) return;
    this.#isBlocked = !stdin.write(picture);
  }

  #encode(): void {
    const { widthPx, heightPx, framesPerSecond } = this.#film;
    const size = `${String(widthPx)}x${String(heightPx)}`;
    const rate = String(framesPerSecond);
    const child = spawn(
      this.#ffmpegPath,
      [
        ...['-hide_banner', '-v', 'error', '-fflags', 'nobuffer'],
        ...['-f', 'rawvideo', '-pix_fmt', 'rgba', '-video_size', size, '-framerate', rate],
        ...[
          '-i',
          'pipe:0',
          '-an',
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          '-tune',
          'zerolatency',
        ],
        ...this.#scale,
        ...['-threads', '1', '-g', '16', '-bf', '0', '-pix_fmt', 'yuv420p', '-crf', '18'],
        ...['-x264-params', 'repeat-headers=1:scenecut=0', '-flush_packets', '1'],
        ...['-f', 'h264', 'pipe:1'],
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    this.#encoder = child;
    this.#isBlocked = false;
    child.stdin.on('drain', () => {
      this.#isBlocked = false;
    });
    child.stdin.on('error', () => undefined); // The encoder died; 'close' follows.
    child.stdout.on('data', (chunk: Buffer) => {
      this.#mount.write(chunk);
    });
    this.#whenExited = new Promise((resolve) => {
      const onEnd = (): void => {
        resolve();
        if (this.#isClosed || this.#encoder !== child) return;
        this.#encoder = undefined;
        this.#mount.restart();
        this.#restartTimer = setTimeout(() => {
          this.#encode();
        }, encoderRestartMs);
      };
      child.once('error', onEnd); // Could not be started at all.
      child.once('close', onEnd);
    });
  }
}
