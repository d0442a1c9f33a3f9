/**
 * The yard: a fixed camera looks at a road before a gate and a door. A deterministic state machine with a tick of 1/16 s.
 * Chance enters only as hazards, drawn when they take effect, so the state holds no secret about what comes next and
 * re-simulating a clone gives the true distribution of the future.
 *
 * The rules:
 * - A van brakes before the gate or passes, by its colour; at the gate, the gate opens for blue (0.85 within 4 s) and red
 *   turns away (0.8 within 4 s). When the gate is open the van drives in and the gate closes behind it.
 * - A person who comes to cross yields to an approaching van (0.9). At the door a person goes in (0.75) or turns back,
 *   the other way round for one who had to wait at the road.
 * - When a ball rolls onto the road and the dog is there, it chases the ball (about 0.7) and carries it out of the picture.
 * - Vans brake for whatever is on the road before them.
 */
import { labelOf } from './labels.js';
import type { LabelText } from './labels.js';
import { heightPx, makePlace, vanColours, widthPx } from './place.js';
import type { Place, VanColour } from './place.js';
import { uniform } from './random.js';

export const ticksPerSecond = 16;
const tickS = 1 / ticksPerSecond;
export const gateId = 1;
export const doorId = 2;

export const sizes = {
  van: { width: 80, height: 37 },
  person: { width: 18, height: 45 },
  dog: { width: 30, height: 19 },
  ball: { width: 13, height: 13 },
} as const;

/** Share of a thing's width inside the picture from which it has entered, and below which it has left. */
export const enteredShare = 0.2;

/** Chances a second, and chances of each draw; the tests check the frequencies that follow from them. */
export const rules = {
  vanStops: { blue: 0.88, red: 0.88, white: 0.1 },
  gateOpensPerS: { blue: -Math.log(0.15) / 4, red: 0.02, white: 0.1 },
  turnsAwayPerS: { blue: 0.02, red: -Math.log(0.2) / 4, white: 0.25 },
  drivesInPerS: 1.6,
  gateClosesPerS: 0.7,
  personCrosses: 0.88,
  personYields: 0.9,
  waitingCrossesPerS: 1.5,
  doorDecidesPerS: 0.8,
  goesIn: 0.75,
  ballRollsOn: 0.75,
  dogChasesPerS: 0.5,
} as const;

export interface YardEvent {
  readonly tick: number;
  /** Index into yardLabels. */
  readonly label: number;
  readonly actors: readonly number[];
  readonly target: number | null;
}

/** x is the centre, y the ground line. Speeds in pixels a second. */
interface Thing {
  readonly id: number;
  x: number;
  y: number;
  direction: 1 | -1;
  entered: boolean;
}

export interface Van extends Thing {
  readonly colour: VanColour;
  readonly cruise: number;
  speed: number;
  braking: boolean;
  state: 'driving' | 'stopped' | 'turning' | 'driving in';
  /** What it does about the gate; null until it is near enough to brake. */
  plan: 'stop' | 'pass' | 'leave' | null;
  /** Ticks in this state. */
  age: number;
}

export interface Person extends Thing {
  readonly speed: number;
  readonly spot: number;
  state: 'walking' | 'waiting' | 'crossing' | 'at door' | 'going in' | 'leaving';
  decided: boolean;
  waited: boolean;
  age: number;
}

export interface Dog extends Thing {
  state: 'coming' | 'sitting' | 'chasing' | 'carrying';
  age: number;
}

export interface Ball extends Thing {
  vx: number;
  vy: number;
  onRoad: boolean;
  carried: boolean;
}

export interface Gate {
  state: 'closed' | 'opening' | 'open' | 'closing';
  /** 0 closed, 1 open. */
  share: number;
}

const dogSpeed = { coming: 55, chasing: 110, carrying: 75 } as const;
const brakingDistancePx = 80;
export const drivingInTicks = 40;
export const turningTicks = 12;
export const goingInTicks = 22;

/** How much of a thing is inside the picture, by its width (by its height for what comes from below). */
function shareInside(thing: Thing, width: number): number {
  const left = Math.max(0, thing.x - width / 2);
  const right = Math.min(widthPx, thing.x + width / 2);
  return Math.max(0, right - left) / width;
}

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
    if (this.van) this.stepVan(this.van);
    this.stepGate();
    for (const person of this.persons) this.stepPerson(person);
    this.persons = this.persons.filter((person) => !this.isGone(person));
    if (this.ball) this.stepBall(this.ball);
    if (this.dog) this.stepDog(this.dog);
  }

  private draw(name: string, index = 0): number {
    return uniform(this.seed, name, this.tick, index);
  }

  /** True with the chance that a memoryless hazard fires within one tick. */
  private fires(name: string, perSecond: number, index = 0): boolean {
    return this.draw(name, index) < 1 - Math.exp(-perSecond * tickS);
  }

  private begin(text: LabelText, actor: number, target: number | null = null): void {
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
        y: this.dogHomeY(),
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

  private isGone(person: Person): boolean {
    const outside = person.entered && shareInside(person, sizes.person.width) === 0;
    return outside || (person.state === 'going in' && person.age >= goingInTicks);
  }

  /** Enters the picture, once. */
  private notice(thing: Thing, width: number, text: LabelText): void {
    if (thing.entered || shareInside(thing, width) < enteredShare) return;
    thing.entered = true;
    this.begin(text, thing.id);
  }

  private stepVan(van: Van): void {
    van.age++;
    switch (van.state) {
      case 'driving':
        this.drive(van);
        break;
      case 'stopped':
        this.waitAtGate(van);
        break;
      case 'turning':
        if (van.age >= turningTicks) {
          van.direction = van.direction === 1 ? -1 : 1;
          van.plan = 'leave';
          van.state = 'driving';
        }
        break;
      case 'driving in':
        if (van.age >= drivingInTicks) this.van = null;
        break;
    }
  }

  private drive(van: Van): void {
    const toGate = (this.place.gateX - van.x) * van.direction;
    if (van.plan === null && toGate < brakingDistancePx) {
      van.plan = this.draw('van stops') < rules.vanStops[van.colour] ? 'stop' : 'pass';
    }
    const braking = van.cruise ** 2 / (2 * (brakingDistancePx - 4));
    const wanted =
      van.plan === 'stop' ? Math.max(8, Math.sqrt(2 * braking * Math.max(0, toGate))) : van.cruise;
    const before = van.speed;
    van.speed = this.somethingAhead(van)
      ? Math.max(0, van.speed - 150 * tickS)
      : Math.min(wanted, van.speed + 60 * tickS, van.cruise);
    van.braking = van.speed < before - 0.01;
    van.x += van.direction * van.speed * tickS;
    this.notice(van, sizes.van.width, 'van enters');
    if (van.plan === 'stop' && (this.place.gateX - van.x) * van.direction <= 0) {
      van.x = this.place.gateX;
      van.speed = 0;
      van.state = 'stopped';
      van.age = 0;
      this.begin('van stops at gate', van.id, gateId);
    }
    const outward = van.direction === 1 ? van.x > widthPx / 2 : van.x < widthPx / 2;
    if (outward && van.entered && shareInside(van, sizes.van.width) < enteredShare) {
      // Its last fifth is gone a moment later; nothing else can happen to it.
      this.begin('van leaves', van.id);
      this.van = null;
    }
  }

  private waitAtGate(van: Van): void {
    if (this.gate.state === 'open' && this.fires('van drives in', rules.drivesInPerS)) {
      van.state = 'driving in';
      van.age = 0;
      this.begin('van drives in', van.id, gateId);
    } else if (
      this.gate.state === 'closed' &&
      this.fires('van turns', rules.turnsAwayPerS[van.colour])
    ) {
      van.state = 'turning';
      van.age = 0;
      this.begin('van turns away', van.id, gateId);
    }
  }

  private stepGate(): void {
    const { gate, van } = this;
    const vanStands = van?.state === 'stopped';
    switch (gate.state) {
      case 'closed':
        if (vanStands && this.fires('gate opens', rules.gateOpensPerS[van.colour])) {
          gate.state = 'opening';
          this.begin('gate opens', gateId);
        }
        break;
      case 'opening':
        gate.share = Math.min(1, gate.share + tickS);
        if (gate.share === 1) gate.state = 'open';
        break;
      case 'open': {
        const inUse = vanStands || van?.state === 'driving in' || van?.plan === 'stop';
        if (!inUse && this.fires('gate closes', rules.gateClosesPerS)) {
          gate.state = 'closing';
          this.begin('gate closes', gateId);
        }
        break;
      }
      case 'closing':
        gate.share = Math.max(0, gate.share - tickS);
        if (gate.share === 0) gate.state = 'closed';
        break;
    }
  }

  private stepPerson(person: Person): void {
    person.age++;
    switch (person.state) {
      case 'walking': {
        const kerbX = this.place.doorX + person.spot;
        const before = (kerbX - person.x) * person.direction;
        person.x += person.direction * person.speed * tickS;
        this.notice(person, sizes.person.width, 'person enters');
        if (person.decided || before <= 0 || (kerbX - person.x) * person.direction > 0) break;
        person.decided = true;
        if (this.draw('person crosses', person.id) >= rules.personCrosses) break;
        person.x = kerbX;
        person.waited =
          this.isVanComing(person.x) && this.draw('person yields', person.id) < rules.personYields;
        this.become(person, person.waited ? 'waiting' : 'crossing');
        break;
      }
      case 'waiting':
        if (
          !this.isVanComing(person.x) &&
          this.fires('waiting crosses', rules.waitingCrossesPerS, person.id)
        )
          this.become(person, 'crossing');
        break;
      case 'crossing': {
        const { roadBottom, wallY } = this.place;
        const wasBefore = person.y >= roadBottom;
        person.y -= person.speed * tickS;
        if (wasBefore && person.y < roadBottom) this.begin('person crosses road', person.id);
        if (person.y <= wallY + 7) this.become(person, 'at door');
        break;
      }
      case 'at door':
        if (
          this.persons.every((other) => other.state !== 'going in') &&
          this.fires('door decides', rules.doorDecidesPerS, person.id)
        )
          this.decideAtDoor(person);
        break;
      case 'going in':
        break;
      case 'leaving':
        person.x += person.direction * person.speed * tickS;
        break;
    }
  }

  private decideAtDoor(person: Person): void {
    const goesIn = person.waited ? 1 - rules.goesIn : rules.goesIn;
    if (this.draw('goes in', person.id) < goesIn) {
      this.become(person, 'going in');
      this.begin('person goes in', person.id, doorId);
    } else {
      // Away from the gate, where a van may be about to drive in.
      person.direction = this.place.doorX > this.place.gateX ? 1 : -1;
      this.become(person, 'leaving');
      this.begin('person turns back', person.id, doorId);
    }
  }

  private become(person: Person, state: Person['state']): void {
    person.state = state;
    person.age = 0;
  }

  private stepBall(ball: Ball): void {
    if (ball.carried) return;
    const { roadTop, roadBottom } = this.place;
    const wasBefore = ball.y >= roadBottom;
    ball.x += ball.vx * tickS;
    ball.y += ball.vy * tickS;
    if (wasBefore && ball.vy < 0 && ball.y < roadBottom) {
      if (this.draw('ball rolls on') < rules.ballRollsOn) {
        ball.onRoad = true;
        this.begin('ball rolls onto road', ball.id);
      } else {
        ball.y = roadBottom;
        ball.vy *= -0.8;
      }
    }
    if (ball.onRoad && ball.vy < 0 && ball.y < roadTop + 6) ball.vy *= -0.9;
    if (ball.vy > 0 && ball.y > roadBottom) ball.onRoad = false;
    if (ball.x < 8 || ball.x > widthPx - 8) ball.vx *= -1;
    if (ball.vy > 0 && ball.y > heightPx + sizes.ball.height) this.ball = null;
  }

  private stepDog(dog: Dog): void {
    dog.age++;
    switch (dog.state) {
      case 'coming':
        dog.x += dog.direction * dogSpeed.coming * tickS;
        dog.y = Math.min(this.dogHomeY(), dog.y + 30 * tickS);
        this.notice(dog, sizes.dog.width, 'dog enters');
        if ((this.place.dogX - dog.x) * dog.direction <= 0) dog.state = 'sitting';
        break;
      case 'sitting':
        if (this.ball?.onRoad === true && this.fires('dog chases', rules.dogChasesPerS)) {
          dog.state = 'chasing';
          this.begin('dog chases ball', dog.id, this.ball.id);
        }
        break;
      case 'chasing':
        this.chase(dog);
        break;
      case 'carrying':
        this.carry(dog);
        break;
    }
  }

  private chase(dog: Dog): void {
    const ball = this.ball;
    if (!ball) {
      dog.state = 'coming';
      dog.direction = this.place.dogX > dog.x ? 1 : -1;
      return;
    }
    const dx = ball.x - dog.x;
    const dy = ball.y - dog.y;
    const distance = Math.hypot(dx, dy);
    const pace = Math.min(distance, dogSpeed.chasing * tickS);
    if (Math.abs(dx) > 2) dog.direction = dx > 0 ? 1 : -1;
    if (distance > 0) {
      dog.x += (dx / distance) * pace;
      dog.y += (dy / distance) * pace;
    }
    if (distance < 10) {
      ball.carried = true;
      dog.state = 'carrying';
      dog.direction = dog.x < widthPx / 2 ? -1 : 1;
    }
  }

  private dogHomeY(): number {
    return Math.min(heightPx - 8, this.place.roadBottom + 28);
  }

  private carry(dog: Dog): void {
    dog.x += dog.direction * dogSpeed.carrying * tickS;
    dog.y = Math.min(this.dogHomeY(), dog.y + 30 * tickS);
    if (this.ball) {
      this.ball.x = dog.x + dog.direction * 17;
      this.ball.y = dog.y - 5;
      this.ball.onRoad = false;
    }
    if (shareInside(dog, sizes.dog.width) === 0) {
      this.dog = null;
      this.ball = null;
    }
  }

  /** Whether a van drives towards x and is near: what makes a person wait. */
  isVanComing(x: number): boolean {
    const van = this.van;
    if (van?.state !== 'driving' || van.speed < 4) return false;
    const ahead = (x - van.x) * van.direction;
    return ahead > -sizes.van.width / 2 - 8 && ahead < 150;
  }

  /** Whether a person, dog or ball is on the road just before the van. */
  private somethingAhead(van: Van): boolean {
    const { roadTop, roadBottom } = this.place;
    const isBefore = (thing: Thing): boolean => {
      const ahead = (thing.x - van.x) * van.direction - sizes.van.width / 2;
      return ahead > -4 && ahead < 50 && thing.y > roadTop - 4 && thing.y < roadBottom + 2;
    };
    return (
      this.persons.some((person) => person.state === 'crossing' && isBefore(person)) ||
      (this.ball?.onRoad === true && isBefore(this.ball)) ||
      (this.dog?.state === 'chasing' && isBefore(this.dog))
    );
  }
}
