/** Goes back to just before an event, to ask what it changed: worlds are kept each second and replayed from there. */
import { effectsOf } from '../truth/causes.js';
import type { Effect } from '../truth/causes.js';
import { ticksPerSecond } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';

/** As far back as an event is still spoken of. */
const keptTicks = 12 * ticksPerSecond;

export class Past {
  private kept: World[] = [];

  /** To be called each second, before the world moves on. */
  keep(world: World): void {
    const from = world.tick - keptTicks;
    this.kept = [...this.kept.filter((it) => it.tick >= from), world.clone(world.seed)];
  }

  /**
   * What one event changed for another, by paired re-simulation; null when it is too long ago.
   * @param pairs of re-simulations
   */
  cause(event: YardEvent, later: YardEvent, pairs: number): Effect | null {
    const kept = this.kept.findLast((it) => it.tick < event.tick);
    if (!kept) return null;
    const before = kept.clone(kept.seed);
    while (before.tick < event.tick - 1) before.step();
    const after = before.clone(before.seed);
    after.step();
    return effectsOf(before, after, event, [later], { pairs, seed: before.seed })[0] ?? null;
  }
}
