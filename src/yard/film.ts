import { Painter } from './draw.js';
import { heightPx, widthPx } from './place.js';
import { ticksPerSecond } from './things.js';
import { World } from './world.js';

/** Long enough for vans, people and the dog to have come. */
export const warmUpTicks = 25 * ticksPerSecond;

/** What a camera at one yard sees, for as long as it is asked. */
export class YardFilm {
  readonly widthPx = widthPx;
  readonly heightPx = heightPx;
  readonly framesPerSecond = ticksPerSecond;
  readonly world: World;
  private readonly painter: Painter;

  constructor(seed: number) {
    this.world = new World(seed);
    for (let i = 0; i < warmUpTicks; i++) this.world.step();
    this.world.events.length = 0;
    this.painter = new Painter(this.world.place);
  }

  /** The next picture, rgba, 320 x 180; the world moves on by 1/16 s. */
  next(): Buffer {
    this.world.step();
    return this.painter.frame(this.world);
  }
}
