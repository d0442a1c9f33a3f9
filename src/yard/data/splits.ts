/** Which scenes belong to which split. A scene is a world of its own seed; no seed serves two splits. */
import { LookaheadError } from '../../errors.js';
import { makePlace } from '../world/place.js';
import { heldOutTemplates, joinedTemplates, trainTemplates } from '../world/templates.js';
import type { Template } from '../world/templates.js';
import { ticks } from '../world/things.js';
import { World } from '../world/world.js';

export const splits = [
  'train',
  'validation',
  'test',
  'template',
  'appearance',
  'text-only',
  'joined',
] as const;
export type Split = (typeof splits)[number];

/** In place of a split: nobody knows the truth of these scenes, they hold what cameras recognised (docs/harvest.md). */
export const recognisedSplit = 'recognised';

/** @throws LookaheadError recording_unusable, where there is no truth and no world to be run again */
export function drawnSplit(split: Split | typeof recognisedSplit): Split {
  if (split !== recognisedSplit) return split;
  throw new LookaheadError(
    'recording_unusable',
    'The recording holds what cameras recognised: nobody knows what is true of it.',
    'Give one that ./lookahead yard record has drawn; this one is to learn from, not to measure by.',
  );
}

/** What each is for. */
export const splitTexts: Readonly<Record<Split, string>> = {
  train: 'to learn from',
  validation: 'like train, of other seeds: to choose by',
  test: 'like train, of other seeds: to report on',
  template: 'known rules joined in ways that training never sees',
  appearance: 'camera poses, weather and colours that training never sees',
  'text-only': 'ten rules that training meets in words, never in pictures',
  joined: 'rules in further joinings, none of them held out: to learn from, as tracks',
};

const seedsMax = 2 ** 24;
const scenesMax = 2 ** 24;

/** The world's seed of a scene. @throws LookaheadError usage, when seed or index are beyond 2^24 */
export function sceneSeed(split: Split, seed: number, index: number): number {
  if (!(seed >= 0 && seed < seedsMax && index >= 0 && index < scenesMax))
    throw new LookaheadError(
      'usage',
      seed < seedsMax
        ? `There is no scene ${String(index)}.`
        : `--seed is ${String(seed)}; there are no scenes of that seed.`,
      `Seeds and scenes count from 0 to ${String(seedsMax - 1)}.`,
    );
  return (splits.indexOf(split) * seedsMax + seed) * scenesMax + index;
}

/** Long enough for all kinds of things to have come. */
export const warmUpTicks = ticks(25);

export function templatesOf(split: Split): readonly Template[] {
  if (split === 'joined') return joinedTemplates;
  return split === 'template' ? heldOutTemplates : trainTemplates;
}

/** A scene at its first moment; templates take turns, so that each is met equally often. */
export function openScene(split: Split, seed: number, index: number): World {
  const templates = templatesOf(split);
  const worldSeed = sceneSeed(split, seed, index);
  const template = templates[index % templates.length]!;
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
