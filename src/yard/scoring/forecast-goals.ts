import type { Goal } from './goals.js';

/** What forecasts must reach, and what they should. */
export const forecastGoals = {
  skill: { floor: 0.65, goal: 0.8, better: 'higher' },
  skillTrueTracks: { floor: 0.9, goal: 0.95, better: 'higher' },
  skillTrueMasks: { floor: 0.78, goal: 0.88, better: 'higher' },
  skillTemplates: { floor: 0.4, goal: 0.6, better: 'higher' },
  skillAppearance: { floor: 0.5, goal: 0.7, better: 'higher' },
  skillWithin: { floor: 0.5, goal: 0.7, better: 'higher' },
  brierWithin: { floor: 0.03, goal: 0.025, better: 'lower' },
  top1Share: { floor: 0.75, goal: 0.95, better: 'higher' },
  top3Share: { floor: 0.85, goal: 0.98, better: 'higher' },
  ece: { floor: 0.04, goal: 0.02, better: 'lower' },
  eceBayes: { floor: 0.03, goal: 0.015, better: 'lower' },
  causalPrecision: { floor: 0.75, goal: 0.9, better: 'higher' },
  causalRecall: { floor: 0.6, goal: 0.8, better: 'higher' },
  /** That words help must be beyond doubt, however little they do. */
  textOnlyGain: { floor: 0, goal: 0.15, better: 'higher', floorBy: 'interval' },
  absentNamed: { floor: 0.03, goal: 0.01, better: 'lower' },
  scoreCpuMs: { floor: 120, goal: 60, better: 'lower' },
  explainCpuMs: { floor: 600, goal: 300, better: 'lower' },
} as const satisfies Readonly<Record<string, Goal>>;

export type ForecastMeasure = keyof typeof forecastGoals;
export const forecastMeasures = Object.keys(forecastGoals) as ForecastMeasure[];
