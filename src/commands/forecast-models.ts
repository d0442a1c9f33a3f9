/** A bundle's models in this process, for `evaluate forecasts`: what is asked of the reasoner is asked here, and nowhere else. */
import type { Bundle } from '../models/bundle.js';
import { Perceiver } from '../models/perceiver.js';
import { Reasoner } from '../models/reasoner.js';
import { cpuClockMs } from '../models/stopwatch.js';
import { concatFloats } from '../models/tensor.js';
import { noText, usualBudget } from '../models/text-budget.js';
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
  const asked = askedOf(reasoner, bundle);
  return {
    ...{ bundle, perceiver, tracksOnly },
    reasoner: asked,
    ofTrueTracks: asked,
    dispose: async () => {
      await perceiver.dispose();
      await reasoner.dispose();
      await tracksOnly?.dispose();
    },
  };
}

function askedOf(reasoner: Reasoner, { manifest }: Bundle): ReasonsWindows {
  const inputOf = (window: Window) => ({
    tokens: {
      scenes: window.map(({ clip, objects }) => ({ clip, objectCount: objects.length })),
      global: concatFloats(window.map(({ tokens }) => tokens.global)),
      objects: concatFloats(window.map(({ tokens }) => tokens.objects)),
      attributes: concatFloats(window.map(({ tokens }) => tokens.attributes)),
    },
    seen: window.map(({ fromMs, toMs, objects }) => ({ fromMs, toMs, objects })),
  });
  return {
    score: (window) => reasoner.reason(inputOf(window), noText),
    explain: async (window) => {
      const { justifications, explanation } = await reasoner.reason(inputOf(window), usualBudget);
      return {
        justifications: justifications.map(({ label, text }) => ({
          label: manifest.labels[label]?.text ?? '',
          text,
          verified: true,
        })),
        steps: explanation.map(({ text, evidence }) => ({
          text,
          verified: true,
          effect: { label: '', onsetMs: evidence.toMs },
          causes: [],
        })),
      };
    },
  };
}
