/**
 * The chance of each label to begin at all within the horizon, from the chances of what begins first. The bundle's models know
 * the first event alone; what comes after it is a matter of statistics.
 *
 * Where label j comes first, label k begins later with the chance F[j][k]: either j brings it about (`brings`, fitted on simulated
 * worlds), or it would have come anyway, by its own hazard, in what is left of the horizon (`left`, a share of the horizon):
 *
 *     within_k = p_k + sum over j other than k of p_j F[j][k],   F[j][k] = 1 - (1 - brings[j][k]) exp(-left_k h_k)
 *
 * h_k is what the first chances say of k's hazard: were all hazards constant, then p_0 = exp(-h), p_k = (1 - p_0) h_k / h. The
 * hazard lets what is known of this moment, this place and this camera count, which a table of averages cannot know. A bundle
 * without a table gets the hazards alone: within_k = 1 - exp(-h_k).
 */
import type { Calibration } from '../models/manifest.js';
import { chanceMin } from '../scores.js';

/** `follow` of a bundle's calibration.json, over its labels: index 0 is nothing. */
export interface FollowTable {
  /** [first][later], 0 to 1. */
  readonly brings: readonly (readonly number[])[];
  /** By later label, 0 to 1. */
  readonly left: readonly number[];
}

export interface WithinChances {
  /** By label; index 0 keeps the chance of nothing. They need not sum to 1. */
  readonly chances: readonly number[];
  /** That one of these labels begins at all, or several. */
  readonly anyOf: (labels: ReadonlySet<number>) => number;
}

/** Null where the bundle has none. What the table leaves out is 0. */
export function followTable({
  calibration: { follow },
  manifest: { labels },
}: {
  readonly calibration: Pick<Calibration, 'follow'>;
  readonly manifest: { readonly labels: readonly { readonly text: string }[] };
}): FollowTable | null {
  if (follow === undefined) return null;
  return {
    brings: labels.map((first) =>
      labels.map((later) => follow.brings[first.text]?.[later.text] ?? 0),
    ),
    left: labels.map(({ text }) => follow.left[text] ?? 0),
  };
}

/**
 * @param first chances of what begins first, over all labels; index 0 is nothing; they sum to 1
 * @param table null: constant hazards
 */
export function withinChances(first: readonly number[], table: FollowTable | null): WithinChances {
  const nothing = first[0] ?? 0;
  const hazards = hazardsOf(first);
  if (table === null)
    return {
      chances: first.map((_, later) => (later === 0 ? nothing : 1 - Math.exp(-hazards[later]!))),
      anyOf: (labels) => 1 - Math.exp(-sum([...labels].map((label) => hazards[label] ?? 0))),
    };
  const { brings, left } = table;
  const staysAway = hazards.map((hazard, later) => Math.exp(-(left[later] ?? 0) * hazard));
  const awayAfter = (came: number, later: number): number =>
    (1 - (brings[came]?.[later] ?? 0)) * (staysAway[later] ?? 1);
  return {
    chances: first.map((chance, later) =>
      later === 0
        ? nothing
        : first.reduce(
            (total, came, label) =>
              label === 0 || label === later ? total : total + came * (1 - awayAfter(label, later)),
            chance,
          ),
    ),
    // After the first event, labels come independently of each other: nothing is known of their pairs.
    anyOf: (labels) =>
      sum(
        first.map((came, label) => {
          if (label === 0) return 0;
          if (labels.has(label)) return came;
          const noneComes = [...labels].reduce((share, it) => share * awayAfter(label, it), 1);
          return came * (1 - noneComes);
        }),
      ),
  };
}

/** Expected onsets of each label in one horizon, were its hazard constant. */
function hazardsOf(first: readonly number[]): number[] {
  const nothing = Math.min(1, Math.max(chanceMin, first[0] ?? 0));
  // -ln(p) / (1 - p) tends to 1 as nothing becomes certain.
  const perShare = nothing > 1 - 1e-9 ? 1 : -Math.log(nothing) / (1 - nothing);
  return first.map((chance, label) => (label === 0 ? 0 : perShare * chance));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
