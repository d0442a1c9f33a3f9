/** The yard of a recorded scene, simulated again in step with its video: same seed, same truth, nothing to decode. */
import { framesPerSecond } from '../data/film-scene.js';
import { Painter } from '../drawing/painter.js';
import type { IdMap } from '../drawing/painter.js';
import { ticksPerSecond } from '../world/things.js';
import type { World } from '../world/world.js';
import { stepOnce } from './scene.js';
import type { Scene, StepListener } from './scene.js';

const ticksPerPicture = ticksPerSecond / framesPerSecond;

export interface ReplayOptions {
  /** The scene at its first moment. */
  readonly open: () => World;
  /** In the video, which loops. */
  readonly pictures: number;
  /** The clock that the video plays by, from its first picture on. */
  readonly nowMs: () => number;
}

export class ReplayedScene implements Scene {
  world: World;
  onStep: StepListener = () => undefined;
  private readonly options: ReplayOptions;
  private readonly startedAtMs: number;
  private painter: Painter | null = null;
  private drawn: Buffer | null = null;
  /** Rounds of the loop, and pictures within this one that have been shown. */
  private loop = 0;
  private shown = 0;

  constructor(options: ReplayOptions) {
    this.options = options;
    this.world = options.open();
    this.startedAtMs = options.nowMs();
  }

  /** Moves on to where the video is. */
  follow(): void {
    const { nowMs, pictures, open } = this.options;
    const played = Math.floor(((nowMs() - this.startedAtMs) * framesPerSecond) / 1000);
    const loop = Math.floor(played / pictures);
    if (loop !== this.loop) {
      this.world = open();
      this.loop = loop;
      this.shown = 0;
    }
    // The first picture was taken after the first two ticks.
    for (const due = (played % pictures) + 1; this.shown < due; this.shown++) {
      this.drawn = null;
      for (let tick = 0; tick < ticksPerPicture; tick++)
        this.onStep(this.world, stepOnce(this.world));
    }
  }

  picture(): Buffer {
    this.drawn ??= this.draws().frame(this.world);
    return this.drawn;
  }

  masks(): IdMap {
    return this.draws().drawIds(this.world);
  }

  /** A scene that nobody looks at needs no painter. */
  private draws(): Painter {
    this.painter ??= new Painter(this.world.place);
    return this.painter;
  }
}
