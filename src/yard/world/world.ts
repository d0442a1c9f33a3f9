/**
 * The yard: a deterministic state machine with a tick of 1/16 s, seen by a fixed camera. Chance enters only when it takes
 * effect, so the state holds no secret about what comes next but one: whether a van at the gate is expected. What can be
 * known of that is kept beside it as `belief`, so re-simulating clones gives the true chances of the future, both for one
 * who knows the state and for one who has only seen it. (A van's `plan` is a second one, for the second at most between the
 * draw and the brakes; docs/yard.md says what it is worth.)
 */
import { stepBicycle } from './step-bicycle.js';
import { stepDock, stepForklift, stepStack } from './step-dock.js';
import { stepDoor, stepParcel } from './step-door.js';
import { stepBall, stepChild, stepDog } from './step-lawn.js';
import { stepLight } from './step-light.js';
import { stepPerson } from './step-person.js';
import { stepGate, stepVehicle } from './step-vehicle.js';
import { arrivals } from './arrivals.js';
import { labelOf } from './labels.js';
import type { EventText } from './labels.js';
import { makePlace } from './place.js';
import type { Place } from './place.js';
import type { Module } from './templates.js';
import { RandomStream, stream, uniform } from './random.js';
import type { Stream } from './random.js';
import { firstMovingId, tickS } from './things.js';
import { chancePerTick } from './hazard.js';
import type {
  Ball,
  Bicycle,
  Child,
  Dock,
  Dog,
  Door,
  Forklift,
  Gate,
  Parcel,
  Person,
  Stack,
  TrafficLight,
  Vehicle,
  YardEvent,
} from './things.js';

/** An event that may not happen; see truth/causes.ts. */
export interface Ban {
  readonly label: number;
  readonly actor: number;
  /** The last tick at which it is forbidden. */
  readonly untilTick: number;
}

const hidden = stream('expected again');

export class World {
  readonly place: Place;
  readonly seed: number;
  tick: number;
  vehicles: Vehicle[];
  people: Person[];
  child: Child | null;
  dog: Dog | null;
  ball: Ball | null;
  bicycle: Bicycle | null;
  forklift: Forklift | null;
  parcel: Parcel | null;
  gate: Gate;
  door: Door;
  dock: Dock;
  light: TrafficLight;
  stack: Stack;
  /** In order of onset, since tick 0 or since they were last cleared; a clone starts with none. */
  events: YardEvent[] = [];
  ban: Ban | null;
  private nextThing: number;
  private nextEvent: number;

  /** @param state whose state to begin with; by default an empty yard */
  constructor(seed: number, place: Place = makePlace(seed), state: World | null = null) {
    this.seed = seed;
    this.place = place;
    this.tick = state?.tick ?? 0;
    this.vehicles = state ? state.vehicles.map((it) => ({ ...it })) : [];
    this.people = state ? state.people.map((it) => ({ ...it })) : [];
    this.child = copyOf(state?.child);
    this.dog = copyOf(state?.dog);
    this.ball = copyOf(state?.ball);
    this.bicycle = copyOf(state?.bicycle);
    this.forklift = copyOf(state?.forklift);
    this.parcel = state?.parcel ?? null;
    this.gate = { ...(state?.gate ?? closedGate) };
    this.door = { ...(state?.door ?? closedDoor) };
    this.dock = { ...(state?.dock ?? closedDock) };
    this.light = { ...(state?.light ?? greenLight) };
    this.stack = state ? { ...state.stack } : firstStack(seed, place);
    this.ban = state?.ban ?? null;
    this.nextThing = state?.nextThing ?? firstMovingId;
    this.nextEvent = state?.nextEvent ?? 1;
  }

  /** The same state; what chance brings from here on depends on `seed`. */
  clone(seed: number): World {
    return new World(seed, this.place, this);
  }

  /** Draws anew what cannot be seen, by what can be believed of it. */
  forgetHidden(): void {
    for (const vehicle of this.vehicles)
      vehicle.expected = uniform(this.seed, hidden, this.tick, vehicle.id) < vehicle.belief;
  }

  /** Advances by 1/16 s. */
  step(): void {
    this.tick++;
    stepLight(this);
    arrivals(this);
    for (const vehicle of this.vehicles) stepVehicle(this, vehicle);
    stepGate(this);
    for (const person of this.people) stepPerson(this, person);
    stepDoor(this);
    stepParcel(this);
    if (this.child) stepChild(this, this.child);
    if (this.dog) stepDog(this, this.dog);
    if (this.ball) stepBall(this, this.ball);
    if (this.bicycle) stepBicycle(this, this.bicycle);
    stepDock(this);
    if (this.forklift) stepForklift(this, this.forklift);
    stepStack(this);
    this.sweep();
  }

  private sweep(): void {
    if (this.vehicles.some((it) => it.state === 'gone'))
      this.vehicles = this.vehicles.filter((it) => it.state !== 'gone');
    if (this.people.some((it) => it.state === 'gone'))
      this.people = this.people.filter((it) => it.state !== 'gone');
    if (this.child?.state === 'gone') this.child = null;
    if (this.dog?.state === 'gone') this.dog = null;
    if (this.ball?.state === 'gone') this.ball = null;
    if (this.bicycle?.state === 'gone') this.bicycle = null;
    if (this.forklift?.state === 'gone') this.forklift = null;
  }

  has(module: Module): boolean {
    return this.place.on[module];
  }

  /** Things made from now on have this id or a higher one. */
  get firstFreeId(): number {
    return this.nextThing;
  }

  newId(): number {
    return this.nextThing++;
  }

  /** A share in [0, 1), for this tick. */
  draw(of: Stream, index = 0): number {
    return uniform(this.seed, of, this.tick, index);
  }

  /** True with the chance that a memoryless hazard fires within one tick. */
  fires(of: Stream, perSecond: number, index = 0): boolean {
    if (perSecond === 0) return false;
    const draw = this.draw(of, index);
    // The first comparison is nearly always enough, and spares the exponential.
    return draw < perSecond * tickS && draw < chancePerTick(perSecond);
  }

  /** Whether this event may happen now; only an intervention forbids one. */
  may(text: EventText, actor: number): boolean {
    const { ban } = this;
    return (
      ban === null ||
      this.tick > ban.untilTick ||
      ban.actor !== actor ||
      ban.label !== labelOf(text)
    );
  }

  /** Notes that an event begins. @returns its id, for the things that take part */
  begin(
    text: EventText,
    actor: number,
    target: number | null,
    because: readonly number[] = [],
  ): number {
    const id = this.nextEvent++;
    const known = because.filter((it) => it > 0);
    this.events.push({ id, tick: this.tick, label: labelOf(text), actor, target, because: known });
    return id;
  }
}

const closedGate: Gate = { state: 'closed', since: 0, share: 0, usedAt: 0, event: 0 };
const closedDoor: Door = {
  share: 0,
  openUntil: 0,
  residentUntil: 0,
  last: 'none',
  lastAt: 0,
  event: 0,
};
const closedDock: Dock = { share: 0, state: 'closed', since: 0 };
const greenLight: TrafficLight = { phase: 'green', since: 0, event: 0 };

function firstStack(seed: number, place: Place): Stack {
  const random = new RandomStream(seed, 'stack at first');
  return {
    count: place.template.modules.includes('dock') ? Math.floor(random.uniform() * 3) : 0,
    lean: 0,
    loadedAt: -1000,
    fallen: false,
    special: place.special && random.chance(0.5),
    event: 0,
  };
}

function copyOf<T extends object>(thing: T | null | undefined): T | null {
  return thing ? { ...thing } : null;
}
