/** Watches what the pipelines of all cameras let be seen, and keeps the windows that are worth it: encoded, bounded, counted. */
import {
  catchError,
  defer,
  EMPTY,
  exhaustMap,
  finalize,
  map,
  merge,
  of,
  startWith,
  Subject,
  switchMap,
  tap,
  timer,
  type Observable,
  type ObservableInput,
  type Subscription,
} from 'rxjs';
import { LookaheadError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics/registry.js';
import type { Manifest } from '../models/manifest.js';
import { pictureOf } from '../models/preprocess.js';
import { processBounded } from '../operators/process-bounded.js';
import { defaultLimits } from '../pipeline-config.js';
import type { Ports } from '../types.js';
import type { HarvestConfig } from './config-schema.js';
import { encodeClip } from './encode-clip.js';
import { gatherWindows, type Gathered, type Sight } from './gather-windows.js';
import type { HarvestFolder } from './harvest-folder.js';
import { itemFolder } from './item-files.js';

export interface HarvesterOptions {
  readonly config: HarvestConfig;
  readonly manifest: Manifest;
  readonly ffmpegPath: string;
  readonly folder: HarvestFolder;
  readonly metrics: Pick<Metrics, 'add' | 'set'>;
  readonly warn: (text: string) => void;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** A programming error: nothing can be trusted any more. */
  readonly onFatal: (error: unknown) => void;
}

export interface HarvestedCamera {
  readonly name: string;
  /** Whether its pictures come with areas blackened, now. */
  readonly privacyMasks: () => boolean;
}

export interface TapLife {
  /** Ends it. */
  readonly own: Subscription;
  /** Whenever the camera is opened anew with other masks. */
  readonly reopened$: Observable<unknown>;
}

interface Job extends Gathered {
  /** Fires when its pictures must not be kept any more: other masks are drawn, or the camera is gone. */
  readonly signal: AbortSignal;
  readonly privacyMasks: boolean;
}

/** One is encoded at a time; a second may wait. More at once is more than a folder should get. */
const waitingMax = 2;
const sweepEveryMs = 60_000;

export class Harvester {
  readonly #options: HarvesterOptions;
  readonly #jobs = new Subject<Job>();
  readonly #running: Subscription;

  constructor(options: HarvesterOptions) {
    this.#options = options;
    const { folder, metrics, warn } = options;
    const kept$ = this.#jobs.pipe(
      processBounded(
        { runningMax: 1, waitingMax, onDrop: (job) => this.#dropped(job, 'full') },
        (job) => this.#keep(job),
      ),
    );
    const swept$ = timer(0, sweepEveryMs).pipe(
      exhaustMap(() =>
        defer(() => folder.sweep()).pipe(
          catchError((error: unknown) => {
            warn(`harvest: ${messageOf(error)}`);
            return EMPTY;
          }),
        ),
      ),
    );
    this.#running = merge(kept$, swept$).subscribe({
      next: () => metrics.set('lookahead_harvest_bytes', {}, folder.bytes),
      error: options.onFatal,
    });
  }

  /** The same ports, with an ear at them. What is heard is remembered in bounded memory, and never changed. */
  tap({ name, privacyMasks }: HarvestedCamera, ports: Ports, { own, reopened$ }: TapLife): Ports {
    const { config, manifest, metrics, onFatal } = this.#options;
    const { framesPerClip, framesPerSecond, clipsPerWindow, horizonMs } = manifest.geometry;
    const sights = new Subject<Sight>();
    const gathered$ = sights.pipe(
      gatherWindows({
        ...{ framesPerClip, framesPerSecond, clipsPerWindow, horizonMs },
        surpriseMin: config.surpriseMin,
        doubtMin: config.doubtMin,
        gapMaxMs: defaultLimits.frameGapMaxMs,
        everyMinMs: config.everyMinS * 1000,
        forecastsMax: defaultLimits.openForecastsMax,
        onDrop: (reason) => metrics.add('lookahead_harvest_drops_total', { camera: name, reason }),
      }),
    );
    // What was seen with other masks is kept no more from then on, nor is what waits for its turn.
    const job$ = reopened$.pipe(
      startWith(null),
      switchMap(() => {
        const masked = privacyMasks();
        const ending = new AbortController();
        const { signal } = ending;
        return gathered$.pipe(
          map((gathered): Job => ({ ...gathered, privacyMasks: masked, signal })),
          finalize(() => ending.abort()),
        );
      }),
    );
    const gathering = job$.subscribe({ next: (job) => this.#jobs.next(job), error: onFatal });
    this.#running.add(gathering);
    own.add(gathering);
    const { report, publish } = ports;
    return {
      ...ports,
      report: {
        ...report,
        clip: (clip) => {
          report.clip(clip);
          sights.next({ kind: 'clip', clip });
        },
        scene: (scene) => {
          report.scene(scene);
          sights.next({ kind: 'scene', scene });
        },
      },
      publish: (message) => {
        sights.next({ kind: 'message', message });
        return publish(message);
      },
    };
  }

  /** What is being encoded is given up; nothing half stays. */
  close(): void {
    this.#running.unsubscribe();
  }

  #keep(job: Job): Observable<void> {
    const { folder, metrics, warn } = this.#options;
    const abort = new AbortController();
    const giveUp = (): void => abort.abort();
    if (job.signal.aborted) return EMPTY;
    job.signal.addEventListener('abort', giveUp);
    return defer(() => this.#encode(job, abort.signal)).pipe(
      switchMap((video): ObservableInput<'kept' | 'large'> => {
        if (abort.signal.aborted) return EMPTY;
        const { manifest, now } = this.#options;
        const { privacyMasks } = job;
        const item = itemFolder(job, video, { manifest, privacyMasks, keptAtMs: now() });
        return folder.keep(item);
      }),
      tap((result) => {
        const { camera, why } = job;
        if (abort.signal.aborted) return;
        if (result === 'large') this.#dropped(job, 'large');
        else metrics.add('lookahead_harvested_total', { camera, why: why[0] });
      }),
      catchError((error: unknown) => {
        // Given up on purpose.
        if (abort.signal.aborted) return EMPTY;
        if (!isOfTheWorld(error)) throw error;
        this.#dropped(job, 'failed');
        warn(`${job.camera}: harvest: ${messageOf(error)}`);
        return EMPTY;
      }),
      switchMap(() => of(undefined)),
      finalize(() => {
        job.signal.removeEventListener('abort', giveUp);
        abort.abort();
      }),
    );
  }

  #encode({ clips }: Job, signal: AbortSignal): Promise<Buffer> {
    const { manifest, ffmpegPath } = this.#options;
    const { widthPx, heightPx } = manifest.preprocessing;
    const [first] = clips;
    if (!first) throw new TypeError('There is no window without clips.');
    return encodeClip(
      clips.flatMap(({ frames }) => frames),
      {
        ...{ ffmpegPath, widthPx, heightPx, signal },
        picture: pictureOf(first, manifest),
        framesPerSecond: manifest.geometry.framesPerSecond,
      },
    );
  }

  /** Of a camera that is gone, nothing is to be counted for ever. */
  #dropped({ camera, signal }: Job, reason: 'full' | 'large' | 'failed'): void {
    if (signal.aborted) return;
    this.#options.metrics.add('lookahead_harvest_drops_total', { camera, reason });
  }
}

/** A full disk or an ffmpeg that fails costs one window; a programming error must not pass for one. */
function isOfTheWorld(error: unknown): boolean {
  return error instanceof LookaheadError || (error instanceof Error && 'code' in error);
}
