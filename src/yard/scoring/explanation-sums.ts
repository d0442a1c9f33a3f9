/** What explanations are worth, scene by scene: their causes, what they name, and what they cost. */
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset } from '../data/schema.js';
import { absentNames, classesInView } from './absent-names.js';
import { matchLinks, statedLinks, trueLinks } from './causal-links.js';
import type { ForecastedWindow } from './forecast-results.js';
import { medianOf, type Weighed } from './median.js';
import { replayMs } from './recorded-truth.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';

type Rhythm = Pick<Dataset, 'labels' | 'framesPerSecond' | 'framesPerClip'>;

export class ExplanationSums {
  private readonly dataset: Rhythm;
  private readonly clipsPerWindow: number;
  private readonly sums: SceneSums;
  private readonly scoreMs: Weighed[] = [];
  private readonly explainMs: Weighed[] = [];
  private lacksCauses = false;

  constructor(dataset: Rhythm, clipsPerWindow: number, options: BootstrapOptions = {}) {
    this.dataset = dataset;
    this.clipsPerWindow = clipsPerWindow;
    this.sums = new SceneSums(options);
  }

  add(truth: RecordedTruth, { clip, scoreCpuMs, explained }: ForecastedWindow): void {
    const { scene } = truth.scene;
    const add = (column: string, value: number): void => this.sums.add(scene, column, value);
    add('windows', 1);
    this.scoreMs.push({ scene, value: scoreCpuMs });
    if (!explained) return;
    add('explained', 1);
    this.explainMs.push({ scene, value: explained.cpuMs });

    const present = classesInView(truth, clip, this.clipsPerWindow);
    for (const text of publishedTexts(explained)) {
      add('texts', 1);
      add('absent', Number(absentNames(text, present).length > 0));
    }
    // The same question to those who know the truth: what this measure itself gets wrong.
    const line = truth.windows.find((window) => window.clip === clip);
    for (const { text } of line?.reasons ?? []) {
      add('reference texts', 1);
      add('reference absent', Number(absentNames(text, present).length > 0));
    }

    const { framesPerSecond, framesPerClip } = this.dataset;
    const endS = ((clip + 1) * framesPerClip) / framesPerSecond;
    const fromS = endS - (this.clipsPerWindow * framesPerClip) / framesPerSecond;
    const [fromMs, toMs] = [replayMs(fromS, this.dataset), replayMs(endS, this.dataset)];
    const truths = trueLinks(truth, this.dataset, fromMs, toMs);
    if (!truths) {
      this.lacksCauses = true;
      return;
    }
    for (const [kind, steps] of [
      ['verified', explained.steps.filter(({ verified }) => verified)],
      ['all', explained.steps],
    ] as const) {
      const counts = matchLinks(truths, statedLinks(steps));
      for (const name of ['truths', 'stated', 'hits'] as const)
        add(`${kind} ${name}`, counts[name]);
    }
  }

  /** @param kind `verified`: of the steps that were published as true; `all`: of those marked as unverified too */
  causalPrecision(kind: 'verified' | 'all' = 'verified'): Measure | null {
    return this.lacksCauses ? null : this.sums.ratio(`${kind} hits`, `${kind} stated`);
  }

  causalRecall(kind: 'verified' | 'all' = 'verified'): Measure | null {
    return this.lacksCauses ? null : this.sums.ratio(`${kind} hits`, `${kind} truths`);
  }

  /** Of explanations and justifications that were published as verified: those that claim the presence of what is not there. */
  absentNamed(): Measure | null {
    return this.sums.ratio('absent', 'texts');
  }

  /** The same of the recorded reasons, which speak the truth: the error of the measure itself. */
  absentNamedInReferences(): Measure | null {
    return this.sums.ratio('reference absent', 'reference texts');
  }

  /** Median over windows. */
  scoreCpuMs(): Measure | null {
    return this.sums.measureDrawn(medianOf(this.scoreMs));
  }

  explainCpuMs(): Measure | null {
    return this.sums.measureDrawn(medianOf(this.explainMs));
  }

  counts(): Readonly<Record<'explained' | 'texts' | 'trueLinks' | 'statedLinks', number>> {
    const of = (column: string): number => this.sums.total(column);
    return {
      explained: of('explained'),
      texts: of('texts'),
      trueLinks: of('verified truths'),
      statedLinks: of('verified stated'),
    };
  }
}

/** Each justification is one text, and all steps of a window together are one. */
export function publishedTexts({
  justifications,
  steps,
}: NonNullable<ForecastedWindow['explained']>): string[] {
  const isPublished = ({ text, verified }: { text: string; verified: boolean }): boolean =>
    verified && text.trim() !== '';
  const told = steps.filter(isPublished).map(({ text }) => text);
  return [
    ...justifications.filter(isPublished).map(({ text }) => text),
    ...(told.length > 0 ? [told.join(' . ')] : []),
  ];
}
