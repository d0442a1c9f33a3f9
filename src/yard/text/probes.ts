/** Questions about a thing that is in view or is not: whoever answers must not see what is not there. */
import type { Attributes, Seen } from '../truth/look.js';
import type { YardClass } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import type { World } from '../world/world.js';
import { View } from './view.js';
import type { Exchange } from './words.js';

interface Kind {
  readonly noun: string;
  readonly class: YardClass;
  readonly has?: keyof Attributes;
}

/** All that comes and goes. */
const kinds: readonly Kind[] = [
  { noun: 'person', class: 'person' },
  { noun: 'person in a red coat', class: 'person', has: 'owner' },
  { noun: 'driver in brown', class: 'person', has: 'driver' },
  { noun: 'child', class: 'child' },
  { noun: 'car', class: 'car' },
  { noun: 'van', class: 'van' },
  { noun: 'van with a yellow stripe', class: 'van', has: 'known' },
  { noun: 'brown parcel van', class: 'van', has: 'parcelVan' },
  { noun: 'forklift', class: 'forklift' },
  { noun: 'bicycle', class: 'bicycle' },
  { noun: 'dog', class: 'dog' },
  { noun: 'ball', class: 'ball' },
  { noun: 'parcel', class: 'parcel' },
  { noun: 'pallet', class: 'pallet' },
  { noun: 'stack', class: 'stack' },
  { noun: 'light', class: 'light' },
  { noun: 'dock', class: 'dock' },
];

export interface Probe extends Exchange {
  readonly noun: string;
  readonly isThere: boolean;
}

const isOf = (kind: Kind, thing: Seen): boolean =>
  thing.class === kind.class && (kind.has === undefined || thing.attributes[kind.has] === 1);

/** Asks about something in view as often as about something that is not. */
export function probe(world: World, random: RandomStream): Probe {
  const view = new View(world);
  const isInView = (kind: Kind): boolean => view.seen.some((it) => isOf(kind, it));
  const wanted = random.chance(0.5);
  const fitting = kinds.filter((it) => isInView(it) === wanted);
  const [first, ...rest] = fitting.length > 0 ? fitting : kinds;
  const kind = random.pick([first!, ...rest]);
  const isThere = isInView(kind);
  const { noun } = kind;
  const prompt = random.pick([
    `is there a ${noun} ?`,
    `is a ${noun} in view ?`,
    `can a ${noun} be seen ?`,
    `does a ${noun} show ?`,
  ]);
  const count = view.seen.filter((it) => isOf(kind, it)).length;
  const answer = isThere
    ? random.pick([
        `yes , a ${noun} is in view .`,
        `yes , there ${count === 1 ? 'is one' : 'are some'} .`,
        'yes .',
      ])
    : random.pick([`no , there is no ${noun} .`, `no , no ${noun} is in view .`, 'no .']);
  return { noun, isThere, prompt, answer };
}
