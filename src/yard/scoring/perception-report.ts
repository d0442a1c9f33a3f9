import type { Bundle } from '../../models/bundle.js';
import type { Dataset } from '../data/schema.js';
import { judge, type JudgedMeasure } from './goals.js';
import { perceptionGoals, perceptionMeasures, type PerceptionMeasure } from './perception-goals.js';
import type { PerceptionDetail, PerceptionSums } from './perception-sums.js';
import type { SymbolicResult, SymbolicScores } from './symbolic-exam.js';

export type PerceptionReport = Readonly<Record<PerceptionMeasure, JudgedMeasure>> & {
  readonly bundle: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly split: string;
  readonly seed: number;
  readonly world: number;
  readonly scenes: number;
  readonly pictures: number;
  /** With a known truth, of which symbolicSkill is the mean. */
  readonly windows: number;
  readonly detail: PerceptionDetail & { readonly symbolic: SymbolicScores | null };
};

export function perceptionReport({
  bundle: { manifest, sha256 },
  dataset: { split, seed, versions },
  sums,
  symbolic,
}: {
  readonly bundle: {
    readonly manifest: Pick<Bundle['manifest'], 'name' | 'version'>;
    readonly sha256: string;
  };
  readonly dataset: Dataset;
  readonly sums: PerceptionSums;
  readonly symbolic: SymbolicResult;
}): PerceptionReport {
  const { scores, reason, windows } = symbolic;
  const found = { ...sums.measures(), symbolicSkill: scores?.skill ?? null };
  const reasonOf = (name: PerceptionMeasure): string =>
    (name === 'symbolicSkill' ? reason : null) ?? 'there was no case';
  const judged = perceptionMeasures.map((name) => [
    name,
    judge(perceptionGoals[name], found[name], reasonOf(name)),
  ]);
  const detail = sums.detail();
  return {
    bundle: { name: manifest.name, version: manifest.version, sha256 },
    ...{ split, seed, world: versions.world },
    ...{ scenes: detail.scenes, pictures: detail.pictures, windows },
    ...(Object.fromEntries(judged) as Record<PerceptionMeasure, JudgedMeasure>),
    detail: { ...detail, symbolic: scores },
  };
}
