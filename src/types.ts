/** Values that pass between the stages of one camera's pipeline, inside one process. */
import type { ObservableInput } from 'rxjs';
import type { Message, Recalibration, StateName } from './messages.js';
import type { Baselines } from './outcomes/baselines.js';
import type { Turns } from './operators/take-turns.js';

/** One RGB picture, already scaled and letterboxed to the bundle's input size. */
export interface Frame {
  readonly camera: string;
  /** Counts from 0 within one epoch of the camera, over reconnects. */
  readonly sequence: number;
  /** Arrival, wall clock, milliseconds since 1970. Recordings count from their start. */
  readonly capturedAtMs: number;
  /** rgb24, heightPx x widthPx x 3, row by row. Not changed after it was emitted. */
  readonly pixels: Uint8Array;
  /** The camera's picture inside the letterbox, in pixels of the frame; absent: the frame has no bars. */
  readonly picture?: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** F consecutive sampled frames; clips never overlap and never join two sides of a gap. */
export interface Clip {
  readonly camera: string;
  /** Counts from 0 within one epoch; a clip that was dropped leaves a hole. */
  readonly index: number;
  readonly fromMs: number;
  /** Capture time of the last frame: the clip's end. */
  readonly toMs: number;
  readonly frames: readonly Frame[];
}

/** A box as shares of the camera's picture (letterbox removed): 0..1, x to the right, y down. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One thing on the key frame, with its identity over clips. */
export interface SceneObject {
  readonly track: number;
  readonly class: string;
  readonly classProbability: number;
  readonly box: Box;
  /** Shares of the picture a second. */
  readonly velocity: { readonly x: number; readonly y: number };
  /** Clips since the track was born, this one not counted. */
  readonly ageClips: number;
  /** COCO RLE, uncompressed counts, column by column, on the segmenter's mask grid. */
  readonly mask: { readonly size: readonly [number, number]; readonly counts: readonly number[] };
  /** The mask's IoU with the thing, as the segmenter guesses it; 0 to 1. */
  readonly predictedIou: number;
  /** What can be seen of it, by the manifest's `objectAttributes`. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Centres at the manifest's `lookFrames`, shares of the picture. */
  readonly looks: readonly { readonly x: number; readonly y: number }[];
}

/** Something that begun within a clip, as perception recognised it. */
export interface RecognisedEvent {
  /** Index into the manifest's `labels`. */
  readonly label: number;
  readonly onsetMs: number;
  readonly probability: number;
  readonly actors: readonly number[];
  readonly target: number | null;
}

/** Something that may have begun: too unlikely to be called an event, too likely to be sure that it was none. */
export type FaintEvent = Pick<RecognisedEvent, 'label' | 'onsetMs' | 'probability'>;

/** What one clip adds to a camera's memory. */
export interface Scene {
  readonly camera: string;
  readonly clip: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly objects: readonly SceneObject[];
  readonly events: readonly RecognisedEvent[];
  /** Below the labels' thresholds; absent: nobody looked for them. Only whoever judges outcomes asks. */
  readonly faintEvents?: readonly FaintEvent[];
  /** Chances of yes-or-no facts about the whole place, by the manifest's `place`. */
  readonly place: Readonly<Record<string, number>>;
  /** 0 (unlike anything the bundle was trained on) to 1. */
  readonly familiarity: number;
  readonly tokens: SceneTokens;
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** The scene's share of Z_vision, raw little-endian float32. */
export interface SceneTokens {
  /** D_v. */
  readonly global: Float32Array;
  /** objects.length x D_v. */
  readonly objects: Float32Array;
  /** objects.length x attributes of the manifest (box, velocity, age, ...). */
  readonly attributes: Float32Array;
}

/** The last N_t scenes of one camera, oldest first. */
export type Window = readonly Scene[];

/** The reasoner's answer for one window: a distribution over the manifest's labels. */
export interface Reasoning {
  /** Tempered, sums to 1, one for each label of the manifest. */
  readonly probabilities: readonly number[];
  /** Before bias and temperature. */
  readonly rawProbabilities: readonly number[];
  /** `reasoned`: by the language model. `carried`: by the cheap head, where the gate saw that nothing changed. */
  readonly basis: 'reasoned' | 'carried';
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** Why: after the forecast, as its revision 1. */
export interface Explanation {
  /** For the most likely labels, best first; at most three. One that named what is not there has no text. */
  readonly justifications: readonly {
    readonly label: number;
    readonly text: string;
    readonly verified: boolean;
  }[];
  readonly steps: readonly ExplanationStep[];
  /**
   * Whether the answer comes from what is seen: false where chances hardly change when vision tokens are replaced by their
   * mean, null where the bundle has no mean.
   */
  readonly grounded: boolean | null;
  /** Justifications that were left out because they named what is not there. */
  readonly absentNamed: number;
  readonly stagesMs: Readonly<Record<string, number>>;
}

export interface ExplanationStep {
  /** «the gate opens, because the van stops at the gate» */
  readonly text: string;
  /** What happened; an index into the manifest's `labels`. */
  readonly label: number;
  readonly causes: readonly { readonly label: number; readonly onsetMs: number }[];
  /** Whether all that it names was there and moved or looked as it says. */
  readonly verified: boolean;
  readonly evidence: {
    readonly tracks: readonly number[];
    readonly fromMs: number;
    readonly toMs: number;
  };
}

/** Why something was dropped; each is counted, none is silent. */
export type DropReason = 'newer' | 'failed' | 'late' | 'gap' | 'full';
export type Stage = 'ingest' | 'perceive' | 'carry' | 'reason' | 'explain' | 'publish';

/**
 * Why a forecast was made just now. First what had changed since the last reasoned one; then `rhythm`: it was time and there
 * is no cheap head, or no gate; `quiet`: it was time, and nothing had changed.
 */
export const forecastReasons = [
  'first',
  'event',
  'born',
  'lost',
  'class',
  'motion',
  'attribute',
  'place',
  'distance',
  'time',
  'rhythm',
  'quiet',
] as const;
export type ForecastReason = (typeof forecastReasons)[number];

/** How `watchCamera` tells the outside what happened; the only way to metrics and logs. */
export interface Report {
  frame(frame: Frame): void;
  clip(clip: Clip): void;
  scene(scene: Scene): void;
  window(window: Window): void;
  /** A forecast is being made, and why. */
  decided(reason: ForecastReason): void;
  dropped(stage: Stage, reason: DropReason, count: number): void;
  failed(stage: Stage, error: unknown): void;
  state(state: StateName, why: string): void;
}

/**
 * Everything `watchCamera` needs from outside. Model ports return `ObservableInput`: production hands in
 * promises, tests hand in marbles.
 */
export interface Ports {
  /** Frames at the bundle's rate; ends or errors when the camera is lost; unsubscribing frees everything. */
  readonly frames: () => ObservableInput<Frame>;
  readonly perceive: (clip: Clip) => ObservableInput<Scene>;
  readonly score: (window: Window) => ObservableInput<Reasoning>;
  /** The cheap head; fails where the bundle has none. */
  readonly carry: (window: Window) => ObservableInput<Reasoning>;
  readonly explain: (window: Window, reasoning: Reasoning) => ObservableInput<Explanation>;
  readonly publish: (message: Message) => ObservableInput<PublishReceipt>;
  readonly report: Report;
  /** What was learned on this camera, asked for each forecast; absent: nothing ever is. */
  readonly recalibration?: (() => Recalibration | null) | undefined;
  /** What is known of this camera's outcomes from earlier runs; absent: nothing. */
  readonly baselines?: Baselines | undefined;
  /** Shared by all cameras of one reasoner; absent: an explanation begins at once. */
  readonly turns?: Turns | undefined;
}

export interface PublishReceipt {
  /** Wall clock, milliseconds since 1970, when the broker (or file) had it. */
  readonly ackedAtMs: number;
}
