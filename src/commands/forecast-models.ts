/** A bundle's models in this process, for `evaluate forecasts`: what is asked of the reasoner is asked here, and nowhere else. */
import type { Bundle } from '../models/bundle.js';
import { Perceiver } from '../models/perceiver.js';
import { Reasoner } from '../models/reasoner.js';
import { cpuClockMs } from '../models/stopwatch.js';
import { TrackForecaster } from '../models/track-forecaster.js';
import type { Window } from '../types.js';
import type { ExplainedWindow } from '../yard/scoring/forecast-results.js';

/** Of one core: so that CPU time is that of the graphs, whatever the machine. */
const threads = 1;

export interface Scored {
  /** Over the bundle's labels. */
  readonly probabilities: readonly number[];
}

/** The reasoner as an evaluation sees it. */
export interface ReasonsWindows {
  readonly score: (window: Window) => Promise<Scored>;
  readonly explain: (window: Window, scored: Scored) => Promise<Omit<ExplainedWindow, 'cpuMs'>>;
}

export interface ForecastModels {
  readonly bundle: Bundle;
  readonly perceiver: Perceiver;
  readonly reasoner: ReasonsWindows;
  /** The same where tracks have no error, which the fusion core is told. */
  readonly ofTrueTracks: ReasonsWindows;
  /** The cheap head; null where the bundle has none. */
  readonly tracksOnly: TrackForecaster | null;
  readonly dispose: () => Promise<void>;
}

/** @throws LookaheadError `bundle_invalid` */
export async function openForecastModels(bundle: Bundle): Promise<ForecastModels> {
  const perceiver = await Perceiver.open(bundle, { threads, clock: cpuClockMs });
  const reasoner = await Reasoner.open(bundle, { threads, clock: cpuClockMs });
  const tracksOnly = await TrackForecaster.open(bundle, { threads });
  const { manifest } = bundle;
  const trackErrors = manifest.geometry.trackErrors.map(() => 0);
  const exact = { ...manifest, geometry: { ...manifest.geometry, trackErrors } };
  const ofTrueTracks = await Reasoner.open({ ...bundle, manifest: exact }, { threads });
  return {
    ...{ bundle, perceiver, tracksOnly },
    reasoner: askedOf(reasoner, bundle),
    ofTrueTracks: askedOf(ofTrueTracks, bundle),
    dispose: async () => {
      await perceiver.dispose();
      await reasoner.dispose();
      await ofTrueTracks.dispose();
      await tracksOnly?.dispose();
    },
  };
}

function askedOf(reasoner: Reasoner, { manifest }: Bundle): ReasonsWindows {
  const textOf = (label: number): string => manifest.labels[label]?.text ?? '';
  return {
    score: (window) => reasoner.score(window),
    explain: async (window, scored) => {
      const { justifications, steps } = await reasoner.explain(window, scored);
      return {
        justifications: justifications.map(({ label, text, verified }) => ({
          label: textOf(label),
          text,
          verified,
        })),
        steps: steps.map(({ text, label, causes, verified, evidence }) => ({
          text,
          verified,
          // A step's evidence ends with what it explains.
          effect: { label: textOf(label), onsetMs: evidence.toMs },
          causes: causes.map((cause) => ({ label: textOf(cause.label), onsetMs: cause.onsetMs })),
        })),
      };
    },
  };
}
