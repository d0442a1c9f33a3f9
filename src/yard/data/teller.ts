/** What is told of a scene while it is filmed: in words that a window of eight clips bears out. */
import type { Effect } from '../truth/causes.js';
import { texts } from '../text/corpus.js';
import { probe } from '../text/probes.js';
import { whatHappens, whatIf, whatNext, whyDid } from '../text/questions.js';
import { reason } from '../text/reasons.js';
import { caption, describe } from '../text/states.js';
import { causalExplanation, prediction } from '../text/tasks.js';
import { Witness } from '../text/witness.js';
import type { Exchange } from '../text/words.js';
import { RandomStream } from '../world/random.js';
import { ticks, ticksPerSecond } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';
import type { ClipLine, Recording, WindowLine } from './schema.js';

type Task = WindowLine['tasks'][number];

const noteEveryTicks = ticksPerSecond / 4;
/** What is asked after is not older: what led to it then lies within the window too. */
const askedTicks = ticks(1);

export class Teller {
  private readonly witness = new Witness();
  private readonly random: RandomStream;
  private readonly startTick: number;

  constructor(world: World) {
    this.random = new RandomStream(world.seed, 'words of a scene');
    this.startTick = world.tick;
    this.witness.note(world);
  }

  /** To be called at every tick. */
  note(world: World): void {
    if ((world.tick - this.startTick) % noteEveryTicks === 0) this.witness.note(world);
  }

  tellClip(world: World): Pick<ClipLine, 'caption' | 'description'> {
    return {
      caption: caption(world, this.random),
      description: describe(world, this.witness, this.random),
    };
  }

  /**
   * @param futures how often each label came first
   * @param chances of each label to come first, as well as they are known
   */
  tellWindow(
    world: World,
    futures: readonly number[],
    chances: readonly number[],
  ): Pick<WindowLine, 'reasons' | 'tasks'> {
    const { random, witness } = this;
    const reasons = futures.flatMap((count, label) =>
      count > 0 ? [{ label, text: reason(world, label, random) }] : [],
    );
    const recent = witness.recent(world);
    const event = this.newest(world, recent);
    const tasks: Task[] = [task('predict', prediction(world, chances, random))];
    if (event) tasks.push(task('explain', causalExplanation(event, recent, witness.cast, random)));
    tasks.push(task('question', this.question(world, event, recent, chances)));
    tasks.push(task('probe', probe(world, random)));
    return { reasons, tasks };
  }

  /** One question for each event of which it is known how far earlier ones caused it, by the event's id. */
  tellCauses(effects: readonly Effect[]): ReadonlyMap<number, Task> {
    const events = this.witness.seen();
    const asked = [...new Set(effects.map(({ effect }) => effect))];
    const tasks = asked.flatMap((id): [number, Task][] => {
      const [first, ...rest] = effects.filter(({ effect }) => effect === id);
      if (!first) return [];
      const cause = this.random.pick([first, ...rest]);
      const exchange = whatIf(cause, events, this.witness.cast, this.random);
      return exchange ? [[id, task('question', exchange)]] : [];
    });
    return new Map(tasks);
  }

  /** An event of the last second, rather one that something led to: there is more to say about it. */
  private newest(world: World, recent: readonly YardEvent[]): YardEvent | undefined {
    const fresh = recent.filter((it) => it.tick > world.tick - askedTicks);
    return fresh.findLast((it) => it.because.length > 0) ?? fresh.at(-1);
  }

  private question(
    world: World,
    event: YardEvent | undefined,
    recent: readonly YardEvent[],
    chances: readonly number[],
  ): Exchange {
    const { random, witness } = this;
    if (event && random.chance(0.5)) return whyDid(event, recent, witness.cast, random);
    return random.chance(0.5)
      ? whatHappens(world, witness, random)
      : whatNext(world, chances, random);
  }
}

function task(name: Task['task'], { prompt, answer }: Exchange): Task {
  return { task: name, prompt, answer };
}

export function textLines({ texts: count, seed }: Recording): { readonly text: string }[] {
  return [...texts(count, seed)].map((text) => ({ text }));
}
