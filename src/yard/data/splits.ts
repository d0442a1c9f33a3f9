/** Which scenes belong to which split. A scene is a world of its own seed; no seed serves two splits. */
import { LookaheadError } from '../../errors.js';
import { makePlace } from '../world/place.js';
import { heldOutTemplates, trainTemplates } from '../world/templates.js';
import { ticks } from '../world/things.js';
import { World } from '../world/world.js';

/**
 * train, validation and test differ by seed alone. `template`: known rules joined in new ways; `appearance`: poses, weather and
 * colours that training never sees; `text-only`: ten rules that training meets in words, never in pictures.
 */
export const splits = [
  'train',
  'validation',
  'test',
  'template',
  'appearance',
  'text-only',
] as const;
export type Split = (typeof splits)[number];

const seedsMax = 2 ** 24;
const scenesMax = 2 ** 24;

/** The world's seed of a scene. @throws LookaheadError usage, when seed or index are beyond 2^24 */
export function sceneSeed(split: Split, seed: number, index: number): number {
  if (!(seed >= 0 && seed < seedsMax && index >= 0 && index < scenesMax))
    throw new LookaheadError(
      'usage',
      `Scene ${String(index)} of seed ${String(seed)} does not exist.`,
      `Seeds and scenes count from 0 to ${String(seedsMax - 1)}.`,
    );
  return (splits.indexOf(split) * seedsMax + seed) * scenesMax + index;
}

/** Long enough for all kinds of things to have come. */
const warmUpTicks = ticks(25);

/** A scene at its first frame; templates take turns, so that each is met equally often. */
export function openScene(split: Split, seed: number, index: number): World {
  const templates = split === 'template' ? heldOutTemplates : trainTemplates;
  const worldSeed = sceneSeed(split, seed, index);
  const template = templates[index % templates.length] ?? templates[0];
  const world = new World(
    worldSeed,
    makePlace(worldSeed, {
      template,
      newAppearance: split === 'appearance',
      special: split === 'text-only',
    }),
  );
  for (let i = 0; i < warmUpTicks; i++) world.step();
  world.events = [];
  return world;
}
