/** What a bundle said of one scene's windows: plain data, so that it can be kept and an evaluation taken up where it was. */
import type { TimedEvent } from './match-events.js';

export interface ForecastedWindow {
  /** The window's last clip. */
  readonly clip: number;
  /** Over the labels of the data set; they sum to 1. */
  readonly chances: readonly number[];
  /** The same from the window's tracks alone, by the bundle's cheap head; null where it has none. */
  readonly tracksOnly: readonly number[] | null;
  /** Of one core, user and system. */
  readonly scoreCpuMs: number;
  /** Null where no explanation was asked for. */
  readonly explained: ExplainedWindow | null;
}

export interface ExplainedWindow {
  readonly cpuMs: number;
  readonly justifications: readonly {
    /** Words of the label that it justifies. */
    readonly label: string;
    readonly text: string;
    readonly verified: boolean;
  }[];
  readonly steps: readonly StatedStep[];
}

/** One step of an explanation. Times are those of the replay, in milliseconds. */
export interface StatedStep {
  readonly text: string;
  readonly verified: boolean;
  readonly effect: TimedEvent;
  readonly causes: readonly TimedEvent[];
}

export interface ForecastedScene {
  readonly scene: number;
  readonly windows: readonly ForecastedWindow[];
}
