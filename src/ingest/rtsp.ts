/** A live camera over RTSP. The only file that knows fluent-ffmpeg, which is archived upstream: we use spawn, pipe and kill. */
import type { ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg';
import { defer, from, Observable, switchMap } from 'rxjs';
import { LookaheadError, messageOf } from '../errors.js';
import type { Frame } from '../types.js';
import { FrameCutter } from './cut-frames.js';
import {
  letterbox,
  rtspArgs,
  type FfmpegArgs,
  type Masked,
  type PictureRectangle,
} from './ffmpeg-args.js';
import { ffmpegVersion } from './ffmpeg-version.js';
import { redactor } from './redact.js';
import type { RtspSource } from './source-url.js';
import { failureOf, StderrReader } from './stderr.js';

export interface RtspOptions extends Masked {
  /** The camera's name, for frames and errors. */
  readonly camera: string;
  readonly source: RtspSource;
  readonly ffmpegPath: string;
  readonly transport: 'tcp' | 'udp';
  /** Size of the letterboxed frames. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly limits: RtspLimits;
  readonly listener: RtspListener;
}

export interface RtspLimits {
  /** From the start of ffmpeg to the first frame; door bells take 10 to 15 s. */
  readonly firstFrameMaxMs: number;
  /** Between two frames. */
  readonly silenceMaxMs: number;
  /** ffmpeg's own; it gives up after about twice this time. */
  readonly socketTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number;
}

/** What is worth counting or logging beside the frames. No text holds a secret. */
export interface RtspListener {
  /** Of the camera's own picture, once for each connection. */
  readonly onSize?: (widthPx: number, heightPx: number) => void;
  readonly onDecodeErrors?: (count: number) => void;
  /** At most 5 lines in 10 s; the rest is counted in the next line. */
  readonly onWarning?: (line: string) => void;
}

/**
 * Every frame of the camera, as it comes. Each subscription runs one ffmpeg; unsubscribing ends it. Never completes: the end
 * of a live stream is a failure, since a camera that was switched off looks like one. `sequence` counts from 0.
 *
 * Errors with a LookaheadError: `ffmpeg_missing`, `camera_refused`, `camera_not_found`, `camera_unreachable`, `camera_no_video`,
 * `camera_silent` (our own watchdog: ffmpeg does not notice every stall), `camera_ended`, `ffmpeg_failed`.
 */
export function watchRtsp(options: RtspOptions): Observable<Frame> {
  return defer(() => from(ffmpegVersion(options.ffmpegPath))).pipe(
    switchMap((version) => {
      const { url } = options.source;
      const { socketTimeoutMs } = options.limits;
      return run(options, rtspArgs({ ...options, url, socketTimeoutMs, version }));
    }),
  );
}

/** The size is printed before the first frame, but in another pipe; frames that overtake it wait for no more than this. */
const framesWithoutSizeMax = 10;

function run(options: RtspOptions, args: FfmpegArgs): Observable<Frame> {
  const { camera, widthPx, heightPx, limits, listener } = options;
  return new Observable<Frame>((subscriber) => {
    const redact = redactor(options.source.secrets);
    const warn = limitRate(listener.onWarning);
    let picture: PictureRectangle | undefined;
    let framesWithoutSize = 0;
    let sequence = 0;

    const stderr = new StderrReader({
      redact,
      onSize: (width, height) => {
        picture = letterbox(width, height, widthPx, heightPx);
        listener.onSize?.(width, height);
      },
      onDecodeErrors: (count) => listener.onDecodeErrors?.(count),
      onWarning: warn,
    });
    const cutter = new FrameCutter(widthPx * heightPx * 3, (pixels) => {
      stderr.pictureArrived();
      watchdog.feed();
      if (picture === undefined && ++framesWithoutSize <= framesWithoutSizeMax) return;
      const frame = { camera, sequence: sequence++, capturedAtMs: Date.now(), pixels };
      subscriber.next(picture === undefined ? frame : { ...frame, picture });
    });
    const ended = (): LookaheadError =>
      new LookaheadError(
        'camera_ended',
        `${camera}: the camera ended its stream.`,
        'Check that the camera is switched on and reachable; it is tried again by itself.',
      );
    const child = new FfmpegChild(options.ffmpegPath, args, limits.killAfterMs, {
      onOutput: (bytes) => cutter.push(bytes),
      onStderr: (text) => stderr.push(text),
      onEnd: (how) =>
        subscriber.error(how === null ? ended() : failureOf(camera, stderr.lines, redact(how))),
    });
    const watchdog = new Watchdog(limits, (why) => {
      child.killNow();
      subscriber.error(
        new LookaheadError(
          'camera_silent',
          `${camera}: ${why}`,
          'Check the camera and the network; it is tried again by itself.',
        ),
      );
    });
    return () => {
      watchdog.stop();
      child.stop();
    };
  });
}

interface ChildListener {
  readonly onOutput: (bytes: Buffer) => void;
  readonly onStderr: (text: string) => void;
  /** Once, also when ffmpeg could not be started; null: it ended without complaint. */
  readonly onEnd: (how: string | null) => void;
}

/** One run of ffmpeg through fluent-ffmpeg. */
class FfmpegChild {
  readonly #killAfterMs: number;
  readonly #command: FfmpegCommand;
  #child: ChildProcess | null = null;
  #isStopped = false;

  constructor(path: string, args: FfmpegArgs, killAfterMs: number, listener: ChildListener) {
    this.#killAfterMs = killAfterMs;
    // Taken in at once, always: frames that nobody has time for are dropped further on, never piled up in ffmpeg.
    const output = new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        if (!this.#isStopped) listener.onOutput(bytes);
        done();
      },
    });
    // `end: false`: else fluent-ffmpeg takes the end of the pipe for a failure of ours, and the reason is lost.
    this.#command = ffmpeg(args.url, { stdoutLines: 1 })
      .setFfmpegPath(path)
      .inputOptions([...args.input])
      .outputOptions(args.output.slice(0, -1))
      .output(output, { end: false })
      .on('start', () => this.#started(listener))
      .on('end', () => this.#ended(listener, null))
      .on('error', (error: unknown) => this.#ended(listener, messageOf(error)));
    this.#command.run();
  }

  /** SIGTERM, and SIGKILL if that is not enough. */
  stop(): void {
    this.#isStopped = true;
    const child = this.#child;
    if (child === null) return;
    // ffmpeg may hang in a write that nobody reads any more.
    child.stdout?.destroy();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#killAfterMs);
    child.once('exit', () => clearTimeout(timer));
  }

  killNow(): void {
    this.#isStopped = true;
    this.#child?.kill('SIGKILL');
  }

  #started(listener: ChildListener): void {
    const child = (this.#command as unknown as { ffmpegProc: ChildProcess }).ffmpegProc;
    this.#child = child;
    // fluent-ffmpeg collects stderr without bound while no line ends; we read it ourselves.
    child.stderr?.removeAllListeners('data');
    child.stderr?.on('data', (text: string) => {
      if (!this.#isStopped) listener.onStderr(text);
    });
    if (this.#isStopped) this.stop();
  }

  #ended(listener: ChildListener, how: string | null): void {
    this.#child = null;
    if (!this.#isStopped) listener.onEnd(how);
  }
}

/** Calls `onSilence` once when no frame came for too long. */
class Watchdog {
  readonly #limits: RtspLimits;
  readonly #onSilence: (why: string) => void;
  #lastMs = performance.now();
  #maxMs: number;
  #timer: NodeJS.Timeout;

  constructor(limits: RtspLimits, onSilence: (why: string) => void) {
    this.#limits = limits;
    this.#onSilence = onSilence;
    this.#maxMs = limits.firstFrameMaxMs;
    this.#timer = setTimeout(() => this.#look(), this.#maxMs);
  }

  feed(): void {
    this.#lastMs = performance.now();
    if (this.#maxMs === this.#limits.silenceMaxMs) return;
    this.#maxMs = this.#limits.silenceMaxMs;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** One timer that is set anew when it goes off costs less than one a frame. */
  #look(): void {
    clearTimeout(this.#timer);
    const leftMs = this.#lastMs + this.#maxMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(), leftMs);
    else this.#onSilence(`no picture for ${(this.#maxMs / 1000).toFixed(1)} s.`);
  }
}

/** A broken camera can make ffmpeg print thousands of lines a second. */
function limitRate(log: ((line: string) => void) | undefined): (line: string) => void {
  let periodFromMs = -Infinity;
  let count = 0;
  return (line) => {
    const nowMs = performance.now();
    if (nowMs - periodFromMs > 10_000) {
      if (count > 5) log?.(`(${count - 5} more lines left out)`);
      periodFromMs = nowMs;
      count = 0;
    }
    count += 1;
    if (count <= 5) log?.(line);
  };
}
