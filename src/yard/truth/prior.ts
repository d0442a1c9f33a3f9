/** pPrior: how often each label comes next in scenes of one template, whatever is seen. */
import { warmUpTicks } from '../data/splits.js';
import { yardLabels } from '../world/labels.js';
import { uniform, stream } from '../world/random.js';
import { makePlace } from '../world/place.js';
import { ticksPerSecond } from '../world/things.js';
import { World } from '../world/world.js';
import type { Template } from '../world/templates.js';
import { firstEvent, horizonTicks } from './futures.js';

export interface Prior {
  /** Over all labels, index 0 nothing; sums to 1. */
  readonly next: readonly number[];
  /** How often a label begins at all within the horizon. */
  readonly within: readonly number[];
}

const priorStream = stream('prior');
const scenes = 120;
const secondsPerScene = 100;
/** Seeds of the scenes that priors are counted in; no split uses them. */
const firstSeed = 2 ** 52;
const known = new Map<string, Prior>();

/** Counted in 12,000 moments of scenes of their own; the same at every call. */
export function priorOf(template: Template): Prior {
  const kept = known.get(template.name);
  if (kept) return kept;
  const next = yardLabels.map(() => 0.5);
  const within = yardLabels.map(() => 0.5);
  for (let scene = 0; scene < scenes; scene++) {
    const world = new World(firstSeed + scene, makePlace(firstSeed + scene, { template }));
    const end = warmUpTicks + secondsPerScene * ticksPerSecond;
    while (world.tick < end + horizonTicks) world.step();
    for (let tick = warmUpTicks; tick < end; tick += ticksPerSecond) {
      const later = world.events.filter((it) => it.tick > tick && it.tick <= tick + horizonTicks);
      const first = firstEvent(later, tick, uniform(firstSeed + scene, priorStream, tick));
      next[first?.label ?? 0]!++;
      if (later.length === 0) within[0]!++;
      for (const label of new Set(later.map((it) => it.label))) within[label]!++;
    }
  }
  const moments = scenes * secondsPerScene;
  const sum = next.reduce((a, b) => a + b, 0);
  const prior = {
    next: next.map((count) => count / sum),
    within: within.map((count) => count / (moments + 1)),
  };
  known.set(template.name, prior);
  return prior;
}
