/** How texts go on after what was read: greedy, nucleus or beam, until a stop or a budget. */
import { argmax, logSoftmaxAt, softmax } from './confidence.js';
import type { Random } from './seeded-random.js';
import type { TokenTree } from './token-tree.js';

/** Picks the next token by what may follow; what may not be said is -Infinity there. */
export type Choose = (logits: Float32Array) => number;

export const greedy: Choose = (logits) => argmax(logits);

/** Draws among the likeliest tokens whose chances, tempered, add up to `topP` (Holtzman and others, 2020). */
export function nucleus({
  temperature,
  topP,
  random,
}: {
  readonly temperature: number;
  readonly topP: number;
  readonly random: Random;
}): Choose {
  return (logits) => {
    const ids = Array.from(logits.keys()).filter((id) => (logits[id] ?? NaN) > -Infinity);
    const chances = softmax(
      ids.map((id) => logits[id] ?? NaN),
      temperature,
    );
    const ranked = ids
      .map((id, index) => ({ id, chance: chances[index] ?? 0 }))
      .sort((a, b) => b.chance - a.chance);
    let total = 0;
    const kept = ranked.filter(({ chance }) => {
      const isIn = total < topP;
      total += isIn ? chance : 0;
      return isIn;
    });
    let left = random() * total;
    return (kept.find(({ chance }) => (left -= chance) < 0) ?? kept.at(-1))?.id ?? greedy(logits);
  };
}

/** Where a text goes on: a position, and what may follow it, [vocabulary]. */
export interface Begun {
  readonly last: number;
  readonly logits: Float32Array;
}

export interface DecodeLimits {
  readonly endOfText: number;
  /** A text ends behind the first of these that it contains. */
  readonly stops?: readonly string[];
  readonly tokensMax: number;
  /** Moment of `now` from which on no more is read. */
  readonly untilMs: number;
  readonly now: () => number;
  /** Token ids to text. */
  readonly decode: (ids: readonly number[]) => string;
  /** What may be said, by token id; absent: all. */
  readonly sayable?: Uint8Array;
}

export interface Decoded {
  readonly ids: readonly number[];
  /** Up to its stop, that included; the end of text is none of it. */
  readonly text: string;
  readonly end: 'stop' | 'tokens' | 'time';
}

/** One token a run for each text that has not ended, all of them in one run. */
export async function decodeTexts(
  tree: TokenTree,
  begun: readonly Begun[],
  choose: Choose,
  limits: DecodeLimits,
): Promise<Decoded[]> {
  const rows = begun.map(({ last, logits }) => ({
    last,
    logits,
    ids: [] as number[],
    end: null as Decoded['end'] | null,
  }));
  for (;;) {
    for (const row of rows) {
      if (row.end) continue;
      const id = choose(restrict(row.logits, limits));
      if (id === limits.endOfText) row.end = 'stop';
      else if (row.ids.push(id) && stopIn(row.ids, limits) >= 0) row.end = 'stop';
      else if (row.ids.length >= limits.tokensMax) row.end = 'tokens';
    }
    const open = rows.filter(({ end }) => !end);
    if (open.length === 0) break;
    if (limits.now() >= limits.untilMs) {
      for (const row of open) row.end = 'time';
      break;
    }
    const sprouts = open.map(({ last, ids }) => ({ parent: last, id: ids.at(-1) ?? 0 }));
    const { first, logits } = await tree.grow(sprouts, [...sprouts.keys()]);
    open.forEach((row, index) => {
      row.last = first + index;
      row.logits = logits.subarray(index * tree.vocabulary, (index + 1) * tree.vocabulary);
    });
  }
  return rows.map(({ ids, end }) => decoded(ids, end ?? 'stop', limits));
}

export interface BeamLimits extends DecodeLimits {
  readonly beams: number;
}

/**
 * The text of the best mean log-likelihood that a search of so many beams finds. Beams are branches of the tree, so nothing
 * is copied when one of them forks.
 */
export async function beamSearch(
  tree: TokenTree,
  { last, logits }: Begun,
  limits: BeamLimits,
): Promise<Decoded & { readonly meanLogLikelihood: number }> {
  interface Beam {
    readonly last: number;
    readonly logits: Float32Array;
    readonly ids: readonly number[];
    readonly sum: number;
    readonly end: Decoded['end'] | null;
  }
  // The end of text counts as a token too, or short texts would win by leaving it out.
  const meanOf = ({ sum, ids, end }: Beam): number =>
    sum / Math.max(1, ids.length + (end === 'stop' ? 1 : 0));
  let open: Beam[] = [{ last, logits, ids: [], sum: 0, end: null }];
  let ended: Beam[] = [];
  for (;;) {
    const candidates = open
      .flatMap((beam) => likeliest(restrict(beam.logits, limits), limits.beams, beam))
      .sort((a, b) => b.sum - a.sum)
      .slice(0, limits.beams)
      .map(({ beam, id, sum }): Beam => {
        if (id === limits.endOfText) return { ...beam, sum, end: 'stop' };
        const ids = [...beam.ids, id];
        const stops = stopIn(ids, limits) >= 0;
        const end = stops ? 'stop' : ids.length >= limits.tokensMax ? 'tokens' : null;
        return { ...beam, ids, sum, end };
      });
    ended = [...ended, ...candidates.filter(({ end }) => end)];
    open = candidates.filter(({ end }) => !end);
    if (open.length === 0 || ended.length >= limits.beams) break;
    if (limits.now() >= limits.untilMs) {
      ended = [...ended, ...open.map((beam): Beam => ({ ...beam, end: 'time' }))];
      break;
    }
    const sprouts = open.map((beam) => ({ parent: beam.last, id: beam.ids.at(-1) ?? 0 }));
    const grown = await tree.grow(sprouts, [...sprouts.keys()]);
    open = open.map((beam, index) => {
      const from = index * tree.vocabulary;
      const logitsOf = grown.logits.subarray(from, from + tree.vocabulary);
      return { ...beam, last: grown.first + index, logits: logitsOf };
    });
  }
  const [best] = ended.sort((a, b) => meanOf(b) - meanOf(a));
  if (!best) throw new Error('A beam search without beams finds nothing.');
  return { ...decoded(best.ids, best.end ?? 'stop', limits), meanLogLikelihood: meanOf(best) };
}

interface Candidate<B> {
  readonly beam: B;
  readonly id: number;
  readonly sum: number;
}

function likeliest<B extends { readonly sum: number }>(
  logits: Float32Array,
  count: number,
  beam: B,
): Candidate<B>[] {
  return Array.from(logits.keys())
    .filter((id) => (logits[id] ?? NaN) > -Infinity)
    .sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0))
    .slice(0, count)
    .map((id) => ({ beam, id, sum: beam.sum + logSoftmaxAt(logits, 0, logits.length, id) }));
}

/** What may not be said has no chance; the end of text always may. */
function restrict(logits: Float32Array, { sayable, endOfText }: DecodeLimits): Float32Array {
  if (!sayable) return logits;
  return logits.map((logit, id) => (sayable[id] === 1 || id === endOfText ? logit : -Infinity));
}

/** Where the first stop ends in the text of the ids; -1: it has none. */
function stopIn(ids: readonly number[], { stops = [], decode }: DecodeLimits): number {
  if (stops.length === 0) return -1;
  const text = decode(ids);
  const ends = stops.flatMap((stop) => {
    const at = text.indexOf(stop);
    return at < 0 ? [] : [at + stop.length];
  });
  return ends.length === 0 ? -1 : Math.min(...ends);
}

function decoded(ids: readonly number[], end: Decoded['end'], limits: DecodeLimits): Decoded {
  const text = limits.decode(ids);
  const stop = stopIn(ids, limits);
  return { ids, end, text: stop < 0 ? text : text.slice(0, stop) };
}
