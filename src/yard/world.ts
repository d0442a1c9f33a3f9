/**
 * The yard: a fixed camera looks at a road before a gate and a door. A deterministic state machine with a tick of 1/16 s.
 * Chance enters only as hazards, drawn when they take effect, so the state holds no secret about what comes next and
 * re-simulating a clone gives the true distribution of the future.
 */
import { labelOf } from './labels.js';
import type { LabelText } from './labels.js';
import { heightPx, makePlace, vanColours, widthPx } from './place.js';
import type { Place } from './place.js';
import { uniform } from './random.js';
import { dogHomeY, stepBall, stepDog } from './step-dog.js';
import { isGone, stepPerson } from './step-person.js';
import { stepGate, stepVan } from './step-van.js';
import { enteredShare, shareInside, sizes, tickS } from './things.js';
import type { Ball, Dog, Gate, Person, Thing, Van, YardEvent } from './things.js';

export class World {
  readonly place: Place;
  tick = 0;
  van: Van | null = null;
  persons: Person[] = [];
  dog: Dog | null = null;
  ball: Ball | null = null;
  gate: Gate = { state: 'closed', share: 0 };
  /** All since tick 0; a clone starts with none. */
  events: YardEvent[] = [];
  private seed: number;
  private nextId = 3;

  constructor(seed: number, place: Place = makePlace(seed)) {
    this.seed = seed;
    this.place = place;
  }

  /** The same state; what chance brings from here on depends on `seed`. */
  clone(seed: number): World {
    const copy = new World(seed, this.place);
    copy.tick = this.tick;
    copy.van = this.van && { ...this.van };
    copy.persons = this.persons.map((person) => ({ ...person }));
    copy.dog = this.dog && { ...this.dog };
    copy.ball = this.ball && { ...this.ball };
    copy.gate = { ...this.gate };
    copy.nextId = this.nextId;
    return copy;
  }

  /** Advances by 1/16 s. */
  step(): void {
    this.tick++;
    this.arrivals();
    if (this.van) stepVan(this, this.van);
    stepGate(this);
    for (const person of this.persons) stepPerson(this, person);
    this.persons = this.persons.filter((person) => !isGone(person));
    if (this.ball) stepBall(this, this.ball);
    if (this.dog) stepDog(this, this.dog);
  }

  draw(name: string, index = 0): number {
    return uniform(this.seed, name, this.tick, index);
  }

  /** True with the chance that a memoryless hazard fires within one tick. */
  fires(name: string, perSecond: number, index = 0): boolean {
    return this.draw(name, index) < 1 - Math.exp(-perSecond * tickS);
  }

  begin(text: LabelText, actor: number, target: number | null = null): void {
    this.events.push({ tick: this.tick, label: labelOf(text), actors: [actor], target });
  }

  private arrivals(): void {
    const { rates, roadTop, roadBottom } = this.place;
    if (!this.van && this.fires('van arrives', rates.van)) {
      const direction = this.draw('van side') < 0.5 ? 1 : -1;
      const colour = vanColours[Math.floor(this.draw('van colour') ** 1.4 * 3)] ?? 'blue';
      const cruise = 68 + 20 * this.draw('van speed');
      this.van = {
        id: this.nextId++,
        x: direction === 1 ? -sizes.van.width / 2 : widthPx + sizes.van.width / 2,
        y: roadTop + 0.58 * (roadBottom - roadTop),
        direction,
        entered: false,
        colour,
        cruise,
        speed: cruise,
        braking: false,
        state: 'driving',
        plan: null,
        age: 0,
      };
    }
    if (this.persons.length < 2 && this.fires('person arrives', rates.person)) {
      const direction = this.draw('person side') < 0.5 ? 1 : -1;
      this.persons.push({
        id: this.nextId++,
        x: direction === 1 ? -sizes.person.width / 2 : widthPx + sizes.person.width / 2,
        y: roadBottom + 9,
        direction,
        entered: false,
        speed: 30 + 10 * this.draw('person speed'),
        // Two people never stand on the same spot.
        spot: this.persons.some((other) => other.spot > 0) ? -8 : 8,
        state: 'walking',
        decided: false,
        waited: false,
        age: 0,
      });
    }
    if (!this.dog && this.fires('dog arrives', rates.dog)) {
      const direction = this.draw('dog side') < 0.5 ? 1 : -1;
      this.dog = {
        id: this.nextId++,
        x: direction === 1 ? -sizes.dog.width / 2 : widthPx + sizes.dog.width / 2,
        y: dogHomeY(this),
        direction,
        entered: false,
        state: 'coming',
        age: 0,
      };
    }
    if (!this.ball && this.fires('ball arrives', rates.ball)) {
      this.ball = {
        id: this.nextId++,
        x: 40 + (widthPx - 80) * this.draw('ball x'),
        y: heightPx + sizes.ball.height,
        direction: 1,
        entered: false,
        vx: 50 * (this.draw('ball vx') - 0.5),
        vy: -(28 + 8 * this.draw('ball vy')),
        onRoad: false,
        carried: false,
      };
    }
  }

  /** Enters the picture, once. */
  notice(thing: Thing, width: number, text: LabelText): void {
    if (thing.entered || shareInside(thing, width) < enteredShare) return;
    thing.entered = true;
    this.begin(text, thing.id);
  }
}
