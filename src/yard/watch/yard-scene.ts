/** A yard that is alive: for each picture it moves on and is drawn once, and whoever shows it shows the same. */
import { openScene } from '../data/splits.js';
import type { Split } from '../data/splits.js';
import { Painter } from '../drawing/painter.js';
import type { IdMap } from '../drawing/painter.js';
import { heightPx, widthPx } from '../world/camera.js';
import { ticksPerSecond } from '../world/things.js';
import type { World } from '../world/world.js';
import type { Film } from '../yard-camera.js';
import { stepOnce } from './scene.js';
import type { Scene, StepListener } from './scene.js';

/** Ticks of the yard for each picture: 1 is real time. */
export const paces = [0.5, 1, 2] as const;
export type Pace = (typeof paces)[number];

export class YardScene implements Film, Scene {
  readonly widthPx = widthPx;
  readonly heightPx = heightPx;
  readonly framesPerSecond = ticksPerSecond;
  readonly world: World;
  onStep: StepListener = () => undefined;
  pace: Pace = 1;
  isPaused = false;
  private readonly painter: Painter;
  private drawn: Buffer;
  /** Ticks that are due; at half the pace every second picture is the one before. */
  private due = 0;

  static open(split: Split, seed: number, index: number): YardScene {
    return new YardScene(openScene(split, seed, index));
  }

  constructor(world: World) {
    this.world = world;
    this.painter = new Painter(world.place);
    this.drawn = this.painter.frame(world);
  }

  /** The next picture, rgba, 320 x 180, in step with a clock of 16 a second. */
  next(): Buffer {
    if (!this.isPaused) this.due += this.pace;
    if (this.due < 1) return this.drawn;
    for (; this.due >= 1; this.due--) this.onStep(this.world, stepOnce(this.world));
    this.drawn = this.painter.frame(this.world);
    return this.drawn;
  }

  /** While it is paused: so many ticks on, with the next picture. */
  skip(ticks: number): void {
    if (this.isPaused) this.due = ticks;
  }

  picture(): Buffer {
    return this.drawn;
  }

  masks(): IdMap {
    return this.painter.drawIds(this.world);
  }
}
