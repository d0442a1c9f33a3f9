/**
 * pBayes of one yard as it goes on: a round is begun every half second and at each event, and is worked out a few futures at
 * a time, so that nothing waits for it.
 */
import { simulateFutures } from '../truth/futures.js';
import { yardLabels } from '../world/labels.js';
import { randomBits, stream } from '../world/random.js';
import { ticks } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';

/** From how many futures chances are told: within three points of the truth. */
export const futuresPerRound = 300;
/** A round that is out of date is told as it is from so many on. */
const futuresLeast = 100;
const futuresAtOnce = 4;
const roundTicks = ticks(0.5);
/** Events whose chance is still worked out; of older ones it stays unknown. */
const wantedMax = 8;

const futuresStream = stream('futures of a watched yard');

export interface ToldChances {
  readonly tick: number;
  /** Of each label to be the next event within the horizon; index 0: nothing. Sums to 1. */
  readonly chances: readonly number[];
  readonly futures: number;
}

class Round {
  readonly tick: number;
  futures = 0;
  private readonly next = new Float64Array(yardLabels.length);
  private readonly world: World;
  private readonly seed: number;

  constructor(world: World) {
    this.tick = world.tick;
    this.world = world.clone(world.seed);
    // The same futures' numbers in each round: what differs between two rounds is then the yard, and hardly chance.
    this.seed = randomBits(world.seed, futuresStream, 0);
  }

  get isWhole(): boolean {
    return this.futures >= futuresPerRound;
  }

  work(): void {
    const { next } = simulateFutures(this.world, {
      ...{ count: futuresAtOnce, knows: 'seen', target: 'next' },
      seed: randomBits(this.seed, futuresStream, this.futures + 1),
    });
    next.forEach((count, label) => (this.next[label]! += count));
    this.futures += futuresAtOnce;
  }

  tell(): ToldChances {
    const { tick, futures } = this;
    return { tick, futures, chances: Array.from(this.next, (count) => count / futures) };
  }
}

interface Wanted {
  readonly round: Round;
  readonly settle: (told: ToldChances | null) => void;
}

export class BayesRounds {
  private isWatched = false;
  private toldOf: Round | null = null;
  private readonly onTold: (told: ToldChances) => void;
  /** The newest; of what happens after it, its chances are the forecast. */
  private round: Round;
  /** What is being worked out for the page; the newest round may be newer. */
  private current: Round | null = null;
  private wanted: Wanted[] = [];

  constructor(world: World, onTold: (told: ToldChances) => void) {
    this.round = new Round(world);
    this.onTold = onTold;
  }

  /**
   * After a tick of the world.
   * @returns for each event that began in it, when it is known: the chances before it; null where too many are waiting
   */
  note(world: World, begun: readonly YardEvent[]): Promise<ToldChances | null> | null {
    const before = this.round;
    const isAnew = world.tick < before.tick;
    const isDue = world.tick >= before.tick + roundTicks;
    if (isAnew || isDue || begun.length > 0) this.round = new Round(world);
    if (begun.length === 0 || isAnew) return null;
    if (before.isWhole) return Promise.resolve(before.tell());
    return new Promise((settle) => {
      this.wanted.push({ round: before, settle });
      if (this.wanted.length > wantedMax) this.wanted.shift()?.settle(null);
    });
  }

  /** Whether chances are told as they change, or worked out for events alone. */
  watch(isWatched: boolean): void {
    if (this.isWatched === isWatched) return;
    this.isWatched = isWatched;
    this.current = null;
  }

  get hasWork(): boolean {
    return this.wanted.length > 0 || (this.isWatched && this.pick() !== null);
  }

  /** Works for a moment: some four futures. */
  work(): void {
    const [first] = this.wanted;
    if (first) {
      if (!first.round.isWhole) first.round.work();
      if (!first.round.isWhole) return;
      this.wanted.shift();
      first.settle(first.round.tell());
      return;
    }
    const round = this.isWatched ? this.pick() : null;
    if (!round) return;
    this.current = round;
    if (!round.isWhole) round.work();
    if (round.isWhole || (round !== this.round && round.futures >= futuresLeast)) this.tell(round);
  }

  /** Leaves nobody waiting. */
  close(): void {
    for (const { settle } of this.wanted.splice(0)) settle(null);
  }

  /** A round that is begun is brought to where it can be told, so that a slow machine shows old chances and not none. */
  private pick(): Round | null {
    if (this.current !== null) return this.current;
    return this.toldOf === this.round ? null : this.round;
  }

  private tell(round: Round): void {
    this.current = null;
    this.toldOf = round;
    this.onTold(round.tell());
  }
}
