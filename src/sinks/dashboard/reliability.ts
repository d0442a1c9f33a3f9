/** Whether chances are true: pairs of a chance and what came of it, in bins of equal mass. Pure. */
import type { Outcome } from '../../messages.js';
import { wilson } from '../../outcomes/wilson.js';

export interface ChancePair {
  readonly chance: number;
  readonly came: boolean;
}

export interface ReliabilityBin {
  readonly pairs: number;
  /** Mean chance that was said. */
  readonly said: number;
  /** Share that came true. */
  readonly came: number;
  /** 95 % interval of that share, by luck alone. */
  readonly low: number;
  readonly high: number;
}

/** As in the yard's exams. */
const binsMax = 15;
/** A share of fewer says nothing. */
const pairsMin = 20;

/** The named answers and nothing, of outcomes that were decided and whose chances claim to be true. */
export function pairsOf(outcomes: readonly Outcome[]): ChancePair[] {
  return outcomes.flatMap(({ answers, observed, verdict, calibrated }) => {
    if (answers === undefined || observed === null) return [];
    if (verdict === 'undecidable' || calibrated === false) return [];
    return [...answers.events, { label: 'nothing', confidence: answers.nothing }].map(
      ({ label, confidence }) => ({ chance: confidence, came: label === observed }),
    );
  });
}

/** At most 15 bins of as many pairs each, least likely first; fewer bins where there are few pairs. */
export function equalMassBins(pairs: readonly ChancePair[]): ReliabilityBin[] {
  const sorted = [...pairs].sort((a, b) => a.chance - b.chance);
  const count = Math.min(binsMax, Math.floor(sorted.length / pairsMin));
  const edge = (bin: number): number => Math.floor((bin * sorted.length) / count);
  return Array.from({ length: count }, (_, bin) => {
    const part = sorted.slice(edge(bin), edge(bin + 1));
    const said = part.reduce((sum, { chance }) => sum + chance, 0) / part.length;
    const came = part.filter((pair) => pair.came).length / part.length;
    const [low, high] = wilson(came, part.length);
    return { pairs: part.length, said, came, low, high };
  });
}
