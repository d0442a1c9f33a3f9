import { verdictBy, type Goal, type Verdict } from './goals.js';

/** What perception must reach, and what it should. */
export const perceptionGoals = {
  maskIou: { floor: 0.75, goal: 0.85, better: 'higher' },
  ap50: { floor: 0.8, goal: 0.9, better: 'higher' },
  idf1: { floor: 0.8, goal: 0.9, better: 'higher' },
  classAccuracy: { floor: 0.95, goal: 0.98, better: 'higher' },
  eventF1: { floor: 0.8, goal: 0.95, better: 'higher' },
  symbolicSkill: { floor: 0.75, goal: 0.88, better: 'higher' },
  backboneCpuMs: { floor: 60, goal: 40, better: 'lower' },
  segmenterCpuMs: { floor: 50, goal: 30, better: 'lower' },
} as const satisfies Readonly<Record<string, Goal>>;

export type PerceptionMeasure = keyof typeof perceptionGoals;
export const perceptionMeasures = Object.keys(perceptionGoals) as PerceptionMeasure[];

/** By the value alone; a floor or a goal that is met exactly is met. */
export function verdictOf(measure: PerceptionMeasure, value: number | null): Verdict {
  return verdictBy(perceptionGoals[measure], value === null ? null : { value });
}
