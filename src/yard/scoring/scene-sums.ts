/**
 * Sums of many columns, kept by scene, and what can be made of them, with intervals by bootstrap over scenes: windows of one
 * scene resemble each other, so that scenes are drawn, not windows.
 */
import { stream, uniform } from '../world/random.js';

export interface Measure {
  readonly value: number;
  /** 95 %, by bootstrap over scenes. */
  readonly interval: readonly [number, number];
}

export interface BootstrapOptions {
  /** 1,000 unless told otherwise. */
  readonly resamples?: number | undefined;
  /** 1 unless told otherwise: the same file has the same intervals on every machine. */
  readonly seed?: number | undefined;
}

/** Sum of a column; 0 for one that was never added to. */
export type SumOf = (column: string) => number;

const draws = stream('scoring bootstrap');
const resamplesDefault = 1000;

export class SceneSums {
  private readonly columns = new Map<string, number>();
  private readonly scenes = new Map<number, number[]>();
  private readonly resamples: number;
  private readonly seed: number;
  private drawn: readonly Float64Array[] | null = null;
  private all: Float64Array | null = null;

  constructor({ resamples = resamplesDefault, seed = 1 }: BootstrapOptions = {}) {
    this.resamples = resamples;
    this.seed = seed;
  }

  add(scene: number, column: string, value: number): void {
    let index = this.columns.get(column);
    if (index === undefined) this.columns.set(column, (index = this.columns.size));
    let sums = this.scenes.get(scene);
    if (!sums) this.scenes.set(scene, (sums = []));
    sums[index] = (sums[index] ?? 0) + value;
    this.drawn = this.all = null;
  }

  total(column: string): number {
    return this.sumOf((this.all ??= this.addUp((index) => index)))(column);
  }

  /**
   * Sums first, then `of` them. Resamples for which it is undefined, such as those without a window of a rare template, are
   * left out; null when it is undefined for the scenes themselves.
   */
  measure(of: (sum: SumOf) => number): Measure | null {
    const value = of((column) => this.total(column));
    if (!Number.isFinite(value)) return null;
    return measureOf(
      value,
      this.resampled().map((sums) => of(this.sumOf(sums))),
    );
  }

  /** For what is no function of sums: `of` is told how often each scene was drawn. The same resamples, the same rules. */
  measureDrawn(of: (timesOf: (scene: number) => number) => number): Measure | null {
    const value = of(() => 1);
    if (!Number.isFinite(value)) return null;
    const scenes = [...this.scenes.keys()];
    const drawn = Array.from({ length: this.resamples }, (_, resample) => {
      const times = new Map<number, number>();
      const pick = this.pickOf(resample);
      for (let index = 0; index < scenes.length; index++) {
        const scene = scenes[pick(index)]!;
        times.set(scene, (times.get(scene) ?? 0) + 1);
      }
      return of((scene) => times.get(scene) ?? 0);
    });
    return measureOf(value, drawn);
  }

  ratio(up: string, down: string): Measure | null {
    return this.measure((sum) => sum(up) / sum(down));
  }

  private sumOf(sums: Float64Array): SumOf {
    return (column) => sums[this.columns.get(column) ?? -1] ?? 0;
  }

  private resampled(): readonly Float64Array[] {
    return (this.drawn ??= Array.from({ length: this.resamples }, (_, resample) =>
      this.addUp(this.pickOf(resample)),
    ));
  }

  /** Which scene is drawn at each place of a resample. */
  private pickOf(resample: number): (index: number) => number {
    return (index) => Math.floor(uniform(this.seed, draws, resample, index) * this.scenes.size);
  }

  private addUp(pick: (index: number) => number): Float64Array {
    const scenes = [...this.scenes.values()];
    const sums = new Float64Array(this.columns.size);
    for (let index = 0; index < scenes.length; index++)
      scenes[pick(index)]?.forEach((value, column) => (sums[column]! += value));
    return sums;
  }
}

function measureOf(value: number, drawn: readonly number[]): Measure {
  const sorted = Float64Array.from(drawn.filter((it) => Number.isFinite(it))).sort();
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? value;
  return { value, interval: [quantile(0.025), quantile(0.975)] };
}
