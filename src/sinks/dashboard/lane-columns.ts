/** What the future lane shows: a column for each forecast, a pile of chances in it, and what came of them. Pure. */
import type { Forecast, Outcome } from '../../messages.js';

export type Verdict = Outcome['verdict'] | 'waiting';

/** One answer of a forecast, as a part of the pile. */
export interface Band {
  readonly label: string;
  readonly kind: 'event' | 'else' | 'nothing';
  readonly chance: number;
  /** Lower and upper edge, shares of the pile from its foot. */
  readonly from: number;
  readonly to: number;
  /** It is what came first. */
  readonly isTrue: boolean;
}

export interface Column {
  readonly id: string;
  /** Where its horizon begins. */
  readonly fromMs: number;
  /** Where the next forecast takes over, or its horizon ends. */
  readonly toMs: number;
  readonly horizonToMs: number;
  /** From the foot: the three events, something else, and above them nothing: high piles mean that something comes. */
  readonly bands: readonly Band[];
  readonly verdict: Verdict;
  readonly isCalibrated: boolean;
}

export const elseLabel = 'something else';
export const nothingLabel = 'nothing';

/** @param forecasts oldest first */
export function columnsOf(
  forecasts: readonly Forecast[],
  outcomes: ReadonlyMap<string, Outcome>,
): readonly Column[] {
  return forecasts.map((forecast, index) => {
    const fromMs = Date.parse(forecast.window.to);
    const horizonToMs = fromMs + forecast.horizonMs;
    const next = forecasts[index + 1];
    const nextMs = next === undefined ? Infinity : Date.parse(next.window.to);
    const outcome = outcomes.get(forecast.id);
    return {
      id: forecast.id,
      fromMs,
      toMs: Math.min(nextMs, horizonToMs),
      horizonToMs,
      bands: bandsOf(forecast, outcome?.observed ?? null),
      verdict: outcome?.verdict ?? 'waiting',
      isCalibrated: forecast.calibrated,
    };
  });
}

/** @param observed label of what came first, `nothing`, or null: nobody knows, or not yet */
export function bandsOf(
  { events, somethingElse, nothing }: Pick<Forecast, 'events' | 'somethingElse' | 'nothing'>,
  observed: string | null,
): readonly Band[] {
  const answers: readonly Pick<Band, 'label' | 'kind' | 'chance'>[] = [
    ...events.map(({ label, confidence }) => ({
      label,
      kind: 'event' as const,
      chance: confidence,
    })),
    { label: elseLabel, kind: 'else', chance: somethingElse },
    { label: nothingLabel, kind: 'nothing', chance: nothing },
  ];
  const named = answers.some(({ kind, label }) => kind !== 'else' && label === observed);
  const truth = observed === null ? undefined : named ? observed : elseLabel;
  let foot = 0;
  return answers.map((answer) => {
    const from = foot;
    foot = Math.min(1, foot + answer.chance);
    return { ...answer, from, to: foot, isTrue: answer.label === truth };
  });
}

/** The column at a moment: the one whose time it is, else the nearest within `slackMs`. */
export function columnAt(
  columns: readonly Column[],
  ms: number,
  slackMs = 1_500,
): Column | undefined {
  const distance = ({ fromMs, toMs }: Column): number =>
    ms < fromMs ? fromMs - ms : ms >= toMs ? ms - toMs : 0;
  const nearest = columns.toSorted((a, b) => distance(a) - distance(b))[0];
  return nearest !== undefined && distance(nearest) <= slackMs ? nearest : undefined;
}

export interface VerdictRun {
  readonly verdict: Verdict;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Neighbours of one verdict, joined; a pause between two forecasts parts them. */
export function verdictRuns(columns: readonly Column[]): readonly VerdictRun[] {
  const runs: VerdictRun[] = [];
  for (const { verdict, fromMs, toMs } of columns) {
    const last = runs.at(-1);
    if (last?.verdict === verdict && last.toMs >= fromMs) runs[runs.length - 1] = { ...last, toMs };
    else runs.push({ verdict, fromMs, toMs });
  }
  return runs;
}
