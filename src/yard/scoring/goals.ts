/** What a figure must reach, and what it should, and how it stands beside them. */
import type { Measure } from './scene-sums.js';

export interface Goal {
  readonly floor: number;
  readonly goal: number;
  readonly better: 'higher' | 'lower';
  /** What has to meet the floor: the value (usual), or the whole interval, which then lies beyond it. */
  readonly floorBy?: 'value' | 'interval';
}

export type Verdict = 'below the floor' | 'short of the goal' | 'reached' | 'not measured';

/** A figure beside what it must be (floor) and should be (goal). */
export interface JudgedMeasure {
  readonly value: number | null;
  /** 95 %, by bootstrap over scenes. */
  readonly interval: readonly [number, number] | null;
  readonly floor: number;
  readonly goal: number;
  readonly verdict: Verdict;
  /** Why there is no value. */
  readonly reason?: string;
}

/** A bound that is met exactly is met, but for an interval that has to lie beyond its floor. */
export function verdictBy(goal: Goal, measure: Pick<Measure, 'value'> | Measure | null): Verdict {
  if (!measure) return 'not measured';
  const { better, floorBy = 'value' } = goal;
  const meets = (value: number, bound: number): boolean =>
    better === 'higher' ? value >= bound : value <= bound;
  const isFloorMet =
    floorBy === 'value' ? meets(measure.value, goal.floor) : isBeyond(goal, measure);
  if (!isFloorMet) return 'below the floor';
  return meets(measure.value, goal.goal) ? 'reached' : 'short of the goal';
}

function isBeyond({ floor, better }: Goal, measure: Pick<Measure, 'value'> | Measure): boolean {
  const [low, high] = 'interval' in measure ? measure.interval : [measure.value, measure.value];
  return better === 'higher' ? low > floor : high < floor;
}

/** @param reason why there is no value; not used where there is one */
export function judge(goal: Goal, measure: Measure | null, reason: string): JudgedMeasure {
  const bounds = { floor: goal.floor, goal: goal.goal, verdict: verdictBy(goal, measure) };
  if (!measure) return { value: null, interval: null, ...bounds, reason };
  return { ...measure, ...bounds };
}
