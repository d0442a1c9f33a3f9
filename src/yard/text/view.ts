/** A world as a text may speak of it: what can be seen, and nothing else. */
import { look } from '../truth/look.js';
import type { Seen } from '../truth/look.js';
import type { YardClass } from '../world/labels.js';
import { zones } from '../world/place.js';
import type { Thing } from '../world/things.js';
import type { World } from '../world/world.js';
import { Cast, classesNamed, Names } from './names.js';

export class View {
  readonly world: World;
  readonly names: Names;
  readonly seen: readonly Seen[];
  private readonly ids: ReadonlySet<number>;
  private readonly classes: ReadonlySet<YardClass>;

  constructor(world: World, names = new Names(new Cast().note(world)), seen = look(world)) {
    this.world = world;
    this.names = names;
    this.seen = seen;
    this.ids = new Set(seen.map((it) => it.id));
    this.classes = new Set(seen.map((it) => it.class));
  }

  sees(thing: number | Thing | null): boolean {
    if (thing === null) return false;
    return this.ids.has(typeof thing === 'number' ? thing : thing.id);
  }

  shows(kind: YardClass): boolean {
    return this.classes.has(kind);
  }

  /** Those of the things that can be seen. */
  among<T extends Thing>(things: readonly (T | null)[]): T[] {
    return things.filter((it): it is T => this.sees(it));
  }

  /** Those phrases that name nothing out of view. */
  honest(phrases: readonly string[]): string[] {
    return phrases.filter((phrase) =>
      [...classesNamed(phrase)].every((it) => this.classes.has(it)),
    );
  }

  age(since: number): number {
    return this.world.tick - since;
  }

  /** Metres from a thing to a place, along the road's direction; negative when it is past. */
  toGo(thing: Thing, x: number): number {
    return (x - thing.x) * this.world.place.direction;
  }
}

export const isOnRoad = ({ z }: Thing): boolean => z > zones.roadFrom && z < zones.apronFrom;
