/** What stands and moves in the yard: the whole state of a world, apart from its place. */

export const ticksPerSecond = 16;
export const tickS = 1 / ticksPerSecond;

/** Seconds as ticks. */
export const ticks = (seconds: number): number => Math.round(seconds * ticksPerSecond);

/** The fixed things. Moving things count up from firstMovingId. */
export const gateId = 1;
export const doorId = 2;
export const dockId = 3;
export const lightId = 4;
export const stackId = 5;
/** Whoever is inside the house and shows in its doorway. */
export const residentId = 6;
export const firstMovingId = 7;

/** A driver's parcel and a forklift's load are things of their own. */
export const parcelIdOf = (person: number): number => 100_000 + person;
export const loadIdOf = (forklift: number): number => 200_000 + forklift;

/** Metres: along the way it faces, across, and up. */
export const sizes = {
  person: { length: 0.6, width: 0.7, height: 1.95 },
  child: { length: 0.5, width: 0.55, height: 1.3 },
  car: { length: 3.7, width: 1.7, height: 1.45 },
  van: { length: 4.5, width: 1.9, height: 2.15 },
  forklift: { length: 1.9, width: 1.3, height: 2.15 },
  bicycle: { length: 1.75, width: 0.6, height: 1.85 },
  dog: { length: 1.15, width: 0.4, height: 0.8 },
  ball: { length: 0.46, width: 0.46, height: 0.46 },
  parcel: { length: 0.6, width: 0.5, height: 0.5 },
  pallet: { length: 1.2, width: 1, height: 0.85 },
} as const;

/** Share of a thing's length inside the picture from which it has entered, and below which it has left. */
export const enteredShare = 0.2;

export interface YardEvent {
  readonly id: number;
  readonly tick: number;
  /** Index into yardLabels. */
  readonly label: number;
  readonly actor: number;
  readonly target: number | null;
  /** Ids of the events that the rule which fired it refers to. */
  readonly because: readonly number[];
}

/** Ticks count from the world's beginning. `event`: id of the last event of this thing, 0 before its first. */
export interface Thing {
  readonly id: number;
  x: number;
  z: number;
  event: number;
}

export type Livery = 'known' | 'plain' | 'parcel';

export interface Vehicle extends Thing {
  readonly kind: 'car' | 'van';
  /** What a van is painted; a known van carries a broad yellow stripe, a parcel van is brown with a white box. */
  readonly livery: Livery | null;
  /** 0 to 1: which colour of its palette. */
  readonly paint: number;
  readonly cruise: number;
  readonly enteredAt: number;
  /** Breaks a rule that training knows from text alone; drawn so that one sees it. */
  readonly special: boolean;
  speed: number;
  braking: boolean;
  /** Radians about the vertical: 0 along the road, quarter turn into the gate. */
  heading: number;
  state: 'driving' | 'at gate' | 'driving in' | 'at door' | 'gone';
  /** Tick at which the state began. */
  since: number;
  /** What it will do at the gate or the door; null until it is near enough to brake. */
  plan: 'stop' | 'pass' | null;
  /** Its headlights flash until this tick; 0: it does not flash. */
  flashUntil: number;
  flashed: boolean;
  /** Hidden: whether the gate will be opened for it. */
  expected: boolean;
  /** The chance of `expected`, given all that could be seen. */
  belief: number;
  /** What it stands for, or last stood for. */
  halt: 'none' | 'light' | 'yield' | 'queue';
  /** The driver is out. */
  driverOut: boolean;
  /** Tick at which its driver got back in; 0 before. */
  servedAt: number;
}

export interface Person extends Thing {
  readonly role: 'walker' | 'owner' | 'driver' | 'leaver';
  readonly speed: number;
  readonly paint: number;
  readonly special: boolean;
  /** 1 to the right, -1 to the left: along the pavement. */
  direction: 1 | -1;
  state:
    | 'walking'
    | 'to kerb'
    | 'waiting'
    | 'crossing'
    | 'on apron'
    | 'yielding'
    | 'at door'
    | 'going in'
    | 'handing over'
    | 'back to van'
    | 'leaving'
    | 'gone';
  since: number;
  /** What it was about when it began to yield. */
  resumes: 'on apron' | 'back to van' | 'leaving';
  decided: boolean;
  /** A driver's van. */
  van: number;
  carrying: boolean;
  /** Tick at which it came near the forklift's lane; 0: it is not near. */
  nearLaneAt: number;
}

export interface Child extends Thing {
  direction: 1 | -1;
  state: 'coming' | 'playing' | 'watching' | 'fetching' | 'returning' | 'leaving' | 'gone';
  since: number;
  readonly paint: number;
}

export interface Dog extends Thing {
  readonly special: boolean;
  direction: 1 | -1;
  /** Its owner. */
  owner: number;
  state: 'following' | 'chasing' | 'carrying' | 'leaving' | 'gone';
  since: number;
}

export interface Ball extends Thing {
  readonly special: boolean;
  vx: number;
  vz: number;
  state: 'held' | 'rolling' | 'on road' | 'carried by dog' | 'gone';
  since: number;
  /** Whether the rolling ball has met the kerb. */
  metKerb: boolean;
}

export interface Bicycle extends Thing {
  readonly special: boolean;
  readonly paint: number;
  readonly speed: number;
  state: 'riding' | 'fallen' | 'gone';
  since: number;
  decided: boolean;
}

export interface Forklift extends Thing {
  readonly special: boolean;
  /** Which way it faces: 1 to the right. */
  direction: 1 | -1;
  state: 'coming out' | 'driving' | 'yielding' | 'at stack' | 'returning' | 'going in' | 'gone';
  since: number;
  loaded: boolean;
  /** Tick at which it came near the people's way; 0: it is not near. */
  nearWayAt: number;
}

export interface Gate {
  state: 'closed' | 'opening' | 'open' | 'closing';
  since: number;
  /** 0 closed, 1 open. */
  share: number;
  /** Tick at which the last van began to drive in. */
  usedAt: number;
  event: number;
}

export interface Door {
  /** 0 closed, 1 open. */
  share: number;
  openUntil: number;
  /** Someone inside stands in the doorway until then. */
  residentUntil: number;
  /** Who last went in or came out, when it is not too long ago. */
  last: 'in' | 'out' | 'none';
  lastAt: number;
  event: number;
}

export interface Dock {
  share: number;
  state: 'closed' | 'opening' | 'open' | 'closing';
  since: number;
}

export interface TrafficLight {
  /** What vehicles see. */
  phase: 'green' | 'red';
  since: number;
  event: number;
}

export interface Stack {
  /** Pallets on it, 0 to 3. */
  count: number;
  /** 0, 0.5 or 1: how far it leans. */
  lean: number;
  /** Tick at which the last pallet was put down. */
  loadedAt: number;
  fallen: boolean;
  readonly special: boolean;
  event: number;
}

export interface Parcel extends Thing {
  readonly special: boolean;
}
