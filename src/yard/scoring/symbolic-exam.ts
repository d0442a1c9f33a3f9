/** How far perception's tracks carry: forecasts from them alone, scored in full against pBayes. */
import type { Scene, Window } from '../../types.js';
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset } from '../data/schema.js';
import { clipsPerWindow, examClips } from '../truth/exam.js';
import type { NextLine } from './forecast-file.js';
import { truthWindowOf } from './recorded-truth.js';
import type { Measure } from './scene-sums.js';
import { scoreFile } from './score-file.js';
import type { TruthWindow } from './truth-window.js';

/** What turns tracks into chances, one for each of the bundle's labels. */
export interface ForecastsTracks {
  chances(window: Window): Promise<readonly number[]>;
}

export interface SymbolicScores {
  /** (S_prior - S) / (S_prior - S_bayes) of the log score, all labels named, expected under pBayes. */
  readonly skill: Measure | null;
  readonly logScore: Measure | null;
  readonly logScorePrior: Measure | null;
  readonly logScoreBayes: Measure | null;
  /** As published, by template. */
  readonly templates: Readonly<
    Record<string, { readonly windows: number; readonly skill: Measure | null }>
  >;
}

export interface SymbolicResult {
  /** Asked for, whose truth is known. */
  readonly windows: number;
  readonly scores: SymbolicScores | null;
  /** Why there are no scores. */
  readonly reason: string | null;
}

/** The exam's windows (src/yard/truth/exam.ts) of the scenes that are added, at most `windowsMax`. */
export class SymbolicExam {
  private readonly dataset: Dataset;
  private readonly labels: readonly string[];
  private readonly windowsMax: number;
  private readonly forecaster: ForecastsTracks | null;
  private readonly windows: TruthWindow[] = [];
  private readonly lines: NextLine[] = [];

  /**
   * @param labels words of the forecaster's labels, in its order
   * @param forecaster null: the bundle has none; windows are counted alone
   */
  constructor(
    dataset: Dataset,
    labels: readonly string[],
    windowsMax: number,
    forecaster: ForecastsTracks | null,
  ) {
    this.dataset = dataset;
    this.labels = labels;
    this.windowsMax = windowsMax;
    this.forecaster = forecaster;
  }

  /** @param scenes one for each clip that was perceived, in order */
  async add(truth: RecordedTruth, scenes: readonly Scene[]): Promise<void> {
    for (const line of truth.windows) {
      if (this.windows.length >= this.windowsMax) return;
      if (!examClips.some((clip) => clip === line.clip)) continue;
      const window = truthWindowOf(line, truth, this.dataset);
      const seen = scenes.filter(
        ({ clip }) => clip <= line.clip && clip > line.clip - clipsPerWindow,
      );
      if (!window || seen.at(-1)?.clip !== line.clip) continue;
      this.windows.push(window);
      if (!this.forecaster) continue;
      const chances = await this.forecaster.chances(seen);
      this.lines.push({
        ...{ scene: window.scene, clip: window.clip, target: 'next' },
        chances: Object.fromEntries(
          this.labels.map((text, label) => [text, chances[label] ?? 0] as const),
        ),
      });
    }
  }

  result(): SymbolicResult {
    const windows = this.windows.length;
    const without = (reason: string): SymbolicResult => ({ windows, scores: null, reason });
    if (!this.forecaster) return without('the bundle has no trackForecaster');
    if (windows === 0) return without('no window of these scenes has a pBayes');
    const { next } = scoreFile(this.windows, this.lines, { labels: this.dataset.labels });
    if (!next) throw new TypeError('Lines of "next" have a report of "next".');
    const { forecast, prior, bayes } = next.scores.full;
    return {
      windows,
      reason: null,
      scores: {
        skill: forecast.expected.skill,
        logScore: forecast.expected.logScore,
        logScorePrior: prior.expected.logScore,
        logScoreBayes: bayes.expected.logScore,
        templates: Object.fromEntries(
          Object.entries(next.templates).map(([name, { windows, expected }]) => [
            name,
            { windows, skill: expected },
          ]),
        ),
      },
    };
  }
}
