/** What `watchCamera` needs besides its ports, and the limits with their reasons. */
import type { Forecast } from './messages.js';
import type { Manifest } from './models/manifest.js';
import type { GateLimits } from './operators/gate.js';
import type { FollowTable } from './outcomes/within.js';

export interface PipelineConfig {
  readonly site: string;
  /** Differs from that of every earlier run: the camera's lease revision, or the engine's start. */
  readonly epoch: number;
  readonly manifest: Pick<
    Manifest,
    'geometry' | 'labels' | 'eventThresholds' | 'domain' | 'name' | 'version'
  >;
  /** Of the bundle's `manifest.json`, which names all its other files by theirs. */
  readonly bundleSha256: string;
  readonly clock: Forecast['window']['clock'];
  /** Absent: every forecast is reasoned, in the bundle's rhythm. */
  readonly gate?: GateLimits | undefined;
  /** Absent: no forecasts with the target within. `table` null: the bundle has none. */
  readonly within?: { readonly table: FollowTable | null } | undefined;
  readonly limits: PipelineLimits;
  /** Wall clock, milliseconds since 1970; for recordings the recording's own time. */
  readonly now: () => number;
  /** 0 <= random() < 1; pauses between connections are drawn from it. */
  readonly random: () => number;
}

export interface PipelineLimits {
  readonly frameGapMaxMs: number;
  readonly memoryGapMaxClips: number;
  /** How much longer than at the bundle's rate a clip may last before it is too slow, as a factor. */
  readonly slowMax: number;
  /** Empty: the end of the source is the end. */
  readonly reconnectPausesMs: readonly number[];
  readonly reconnectJitter: number;
  readonly frozenAfterMs: number;
  readonly flatMax: number;
  /** Infinity: no limit, for recordings. */
  readonly perceiveMaxMs: number;
  /** Of a score, and of an explanation with its wait. */
  readonly reasonMaxMs: number;
  /** By how much the chance of the likeliest answer must have changed to be explained anew. */
  readonly explainChangeMin: number;
  readonly publishMaxMs: number;
  readonly publishInFlightMax: number;
  readonly publishWaitingMax: number;
  readonly openForecastsMax: number;
  /** Onsets nearer to one another cannot be put in order, and outcomes that hang on it are undecidable. */
  readonly onsetDoubtMs: number;
}

export const defaultLimits: PipelineLimits = {
  // Loaded machines deliver frames in bursts. A second without a frame is more than that, and less than what a lost clip
  // of the yard leaves between its neighbours.
  frameGapMaxMs: 1_000,
  // One lost clip leaves a window usable (`quality: gaps`), two in a row do not.
  memoryGapMaxClips: 2.5,
  // Arrival jitters; beyond a half all would seem to move faster than the bundle has ever seen.
  slowMax: 1.5,
  // A camera that restarts is back within seconds; a dead one costs one try a minute.
  reconnectPausesMs: [1_000, 5_000, 10_000, 60_000],
  reconnectJitter: 0.25,
  // Drawn and very clean scenes can stand still for a while; the noise of a real camera never does.
  frozenAfterMs: 60_000,
  // H.264 codes a flat grey picture to within two or three steps.
  flatMax: 3,
  // Far above any good run: these only free the camera from a call that never answers.
  perceiveMaxMs: 10_000,
  reasonMaxMs: 30_000,
  // Less is within what the chances of an unchanged yard wander.
  explainChangeMin: 0.15,
  publishMaxMs: 30_000,
  publishInFlightMax: 16,
  // About one minute of one camera's messages.
  publishWaitingMax: 256,
  // Thirty times what a horizon of two forecasts needs; reached only if the scenes stop covering horizons.
  openForecastsMax: 64,
  // Onsets are recognised to within some 100 ms, on either side.
  onsetDoubtMs: 200,
};

/**
 * Chosen among twelve on the scenes of `npm run bench -- gate --seed 2`, which are not those it reports: they save 92 % of the
 * quiet yard's runs where half the distance, half the time and a band of 0.35 to 0.65 for attributes save 87 %, at equal skill.
 */
export const defaultGate: GateLimits = {
  distanceMax: 0.2,
  reasonEveryMaxMs: 60_000,
  movingMinPerS: 0.05,
  restingMaxPerS: 0.02,
  attributeOnMin: 0.8,
  attributeOffMax: 0.2,
  goneClips: 2,
};
