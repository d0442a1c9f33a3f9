/** What one who watches a world remembers: who is who, and which events showed. */
import { look } from '../truth/look.js';
import { memoryS } from '../world/rules.js';
import { ticks } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';
import { Cast } from './names.js';

/** A thing shows in its event when it can be seen this long before or after: who enters is at first hardly in view. */
const aroundTicks = ticks(1);
/** What is told as recent: as much as a window of eight clips shows. */
const recentTicks = ticks(memoryS + 1);

export class Witness {
  readonly cast = new Cast();
  private events: YardEvent[] = [];
  private pending: YardEvent[] = [];
  private readonly seenAt = new Map<number, number>();
  private lastId = 0;

  /** To be called twice a second or more often. */
  note(world: World, seen = look(world)): void {
    this.cast.note(world);
    for (const { id } of seen) this.seenAt.set(id, world.tick);
    for (let i = world.events.length - 1; i >= 0; i--) {
      const event = world.events[i]!;
      if (event.id <= this.lastId) break;
      this.pending.push(event);
    }
    this.lastId = Math.max(this.lastId, world.events.at(-1)?.id ?? 0);
    const shown = this.pending.filter((it) => this.hasShown(it));
    if (shown.length > 0) this.events = [...this.events, ...shown].sort((a, b) => a.id - b.id);
    this.pending = this.pending.filter(
      (it) => !shown.includes(it) && world.tick - it.tick < aroundTicks,
    );
  }

  private hasShown(event: YardEvent): boolean {
    const at = this.seenAt.get(event.actor);
    return at !== undefined && at >= event.tick - aroundTicks;
  }

  /** All events that showed, oldest first. */
  seen(): readonly YardEvent[] {
    return this.events;
  }

  /** The events that showed in the last eight seconds, oldest first. */
  recent(world: World): readonly YardEvent[] {
    return this.events.filter((it) => it.tick > world.tick - recentTicks);
  }
}
