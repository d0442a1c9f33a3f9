/** A scene that a page can follow: a yard that moves, and what it looks like now. */
import type { IdMap } from '../drawing/painter.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';

/** Called after each tick with the events that began in it. */
export type StepListener = (world: World, begun: readonly YardEvent[]) => void;

export interface Scene {
  /** As it is now; a scene that begins anew has a new one. */
  readonly world: World;
  onStep: StepListener;
  /** Rgba, 320 x 180. Asked twice at one tick, it is drawn once. */
  picture(): Buffer;
  masks(): IdMap;
}

/** Moves a world on by one tick. A yard that runs for weeks keeps no list of all that ever happened. */
export function stepOnce(world: World): readonly YardEvent[] {
  world.step();
  return world.events.splice(0);
}
