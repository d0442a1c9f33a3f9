/** Outcomes of a small camera, drawn by a seed, for tests of scores. */
import type { Outcome } from '../../src/messages.js';

export const namesOfOutcomes = ['van enters', 'gate opens', 'dog leaves', 'person waves'] as const;

/** Numbers in [0, 1) that a seed repeats. */
export function drawing(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Chances that are true: what is called 30 % likely comes in 30 %. `sharpness` over 1 says too much. */
export function drawnOutcome(
  draw: () => number,
  atMs: number,
  { sharpness = 1, ...more }: Partial<Outcome> & { sharpness?: number } = {},
): Outcome {
  const weights = [...namesOfOutcomes, 'nothing'].map(() => draw() ** 3 + 0.001);
  const chances = normal(weights);
  const said = normal(chances.map((chance) => chance ** sharpness));
  const names = [...namesOfOutcomes, 'nothing'];
  let left = draw();
  const came = Math.max(
    0,
    chances.findIndex((chance) => (left -= chance) < 0),
  );
  const ranked = [0, 1, 2, 3].sort((a, b) => said[b]! - said[a]!);
  const top = said.indexOf(Math.max(...said));
  const isHit = came === top;
  const isNamed = came === 4 || came !== ranked[3];
  const leadMs = Math.round(draw() * 4_000) - 500;
  const baseline = (chance: number): { brier: number; logScore: number; hit: boolean } => ({
    brier: 1 - chance,
    logScore: -Math.log(chance),
    hit: draw() < chance,
  });
  return {
    schema: 'lookahead.outcome.v1',
    id: `test-gate-1-${String(atMs)}`,
    site: 'test',
    camera: 'gate',
    verdict: isHit ? 'hit' : isNamed ? 'miss' : 'surprise',
    observed: names[came]!,
    predicted: names[top]!,
    onset: came === 4 ? null : new Date(atMs - 1_000).toISOString(),
    onsetAfterMs: came === 4 ? null : 2_000,
    leadMs: came === 4 ? null : leadMs,
    brier: said.reduce((sum, chance, index) => sum + (chance - Number(index === came)) ** 2, 0),
    logScore: -Math.log(said[came]!),
    baseRateHit: false,
    decidedAt: new Date(atMs).toISOString(),
    target: 'next',
    because: null,
    late: came === 4 ? null : leadMs < 0,
    windowTo: new Date(atMs - 4_000).toISOString(),
    horizonMs: 4_000,
    answers: {
      events: ranked
        .slice(0, 3)
        .map((index) => ({ label: names[index]!, confidence: said[index]! })),
      somethingElse: said[ranked[3]!]!,
      nothing: said[4]!,
    },
    basis: 'reasoned',
    calibrated: true,
    recalibration: null,
    began: came === 4 ? [] : [names[came]!],
    baselines: { baseRate: baseline(0.2), persistence: baseline(0.1 + 0.1 * draw()) },
    ...more,
  };
}

export function undecidableOutcome(atMs: number, more: Partial<Outcome> = {}): Outcome {
  return {
    ...drawnOutcome(drawing(atMs), atMs),
    verdict: 'undecidable',
    observed: null,
    onset: null,
    onsetAfterMs: null,
    leadMs: null,
    brier: null,
    logScore: null,
    baseRateHit: null,
    because: 'camera',
    late: null,
    began: null,
    baselines: null,
    ...more,
  };
}

function normal(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
