/** What things are called, by what is drawn of them: «a van with a yellow stripe», then «the van with a yellow stripe». */
import type { YardClass } from '../world/labels.js';
import {
  dockId,
  doorId,
  gateId,
  lightId,
  loadIdOf,
  parcelIdOf,
  residentId,
  stackId,
} from '../world/things.js';
import type { Person, Vehicle } from '../world/things.js';
import type { World } from '../world/world.js';

const fixed: ReadonlyMap<number, string> = new Map([
  [gateId, 'gate'],
  [doorId, 'door'],
  [dockId, 'dock'],
  [lightId, 'light'],
  [stackId, 'stack'],
]);

function vehicleNoun({ kind, livery, special }: Vehicle): string {
  if (kind === 'car') return special ? 'taxi' : 'car';
  if (livery === 'parcel') return 'brown parcel van';
  if (special) return 'van with a ladder';
  return livery === 'known' ? 'van with a yellow stripe' : 'plain van';
}

function personNoun({ role, special }: Person): string {
  if (role === 'owner') return 'person in a red coat';
  if (role === 'driver') return 'driver in brown';
  return special && role === 'walker' ? 'person in a yellow vest' : 'person';
}

/** Who is who, also after they have gone. */
export class Cast {
  private readonly nouns = new Map<number, string>([[residentId, 'person from the house']]);

  /** Adds what is in the yard now. @returns itself */
  note(world: World): this {
    const { vehicles, people, child, dog, ball, bicycle, forklift, parcel, stack } = world;
    const add = (id: number, noun: string): void => {
      this.nouns.set(id, noun);
    };
    for (const vehicle of vehicles) add(vehicle.id, vehicleNoun(vehicle));
    for (const person of people) {
      add(person.id, personNoun(person));
      if (person.role === 'driver') add(parcelIdOf(person.id), parcelNoun(person.special));
    }
    if (child) add(child.id, 'child');
    if (dog) add(dog.id, dog.special ? 'black dog' : 'dog');
    if (ball) add(ball.id, ball.special ? 'striped ball' : 'ball');
    if (bicycle) add(bicycle.id, bicycle.special ? 'bicycle with a flag' : 'bicycle');
    if (forklift) {
      add(forklift.id, forklift.special ? 'forklift with a beacon' : 'forklift');
      add(loadIdOf(forklift.id), 'pallet');
    }
    if (parcel) add(parcel.id, parcelNoun(parcel.special));
    if (stack.special) add(stackId, 'stack wrapped in foil');
    return this;
  }

  /** Without an article; a thing that was never noted is «thing». */
  noun(id: number): string {
    return this.nouns.get(id) ?? fixed.get(id) ?? 'thing';
  }
}

const parcelNoun = (special: boolean): string => (special ? 'parcel with a red mark' : 'parcel');

const firstNames = ['a', 'another'] as const;
const laterNames = ['the', 'the other'] as const;

/** The names of things within one text: «a» at first, «the» later, «another» for the second of a kind. */
export class Names {
  private readonly cast: Cast;
  private readonly mentioned = new Map<string, number[]>();

  constructor(cast: Cast) {
    this.cast = cast;
  }

  of(id: number): string {
    const noun = this.cast.noun(id);
    if (fixed.has(id)) return `the ${noun}`;
    const same = this.mentioned.get(noun) ?? [];
    this.mentioned.set(noun, same);
    const place = same.indexOf(id);
    if (place < 0) {
      same.push(id);
      return `${firstNames[same.length - 1] ?? 'a third'} ${noun}`;
    }
    return `${laterNames[place] ?? 'the third'} ${noun}`;
  }

  /** For a question, where both sides know what is spoken of. */
  the(id: number): string {
    this.of(id);
    return this.of(id);
  }
}

/** The words that name a class; whoever says one of them speaks of such a thing. */
const classOfWord: Readonly<Record<string, YardClass>> = {
  person: 'person',
  driver: 'person',
  owner: 'person',
  child: 'child',
  car: 'car',
  taxi: 'car',
  van: 'van',
  forklift: 'forklift',
  bicycle: 'bicycle',
  dog: 'dog',
  ball: 'ball',
  parcel: 'parcel',
  pallet: 'pallet',
  stack: 'stack',
  gate: 'gate',
  door: 'door',
  dock: 'dock',
  light: 'light',
};

/** The classes that a text names. A parcel van names no parcel. */
export function classesNamed(text: string): Set<YardClass> {
  const classes = text
    .replaceAll('parcel van', 'van')
    .split(' ')
    .map((word) => classOfWord[word]);
  return new Set(classes.filter((it) => it !== undefined));
}
