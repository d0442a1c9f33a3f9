/** Step by step how it came to an event, along the links from event to cause, oldest first. */
import type { RandomStream } from '../world/random.js';
import type { YardEvent } from '../world/things.js';
import { comeIntoView, happens, hasHappened, tell } from './events.js';
import type { Told } from './events.js';
import { Names } from './names.js';
import type { Cast } from './names.js';
import { sentence } from './words.js';
import type { Phrases } from './words.js';

/** A longer chain is told from its middle on: what is older has left the window. */
const stepsMax = 6;

/** The event and all that led to it, oldest first; links to events that are not among the given ones end there. */
export function chain(event: YardEvent, events: readonly YardEvent[]): YardEvent[] {
  const byId = new Map(events.map((it) => [it.id, it]));
  const found = new Map([[event.id, event]]);
  const open = [event];
  for (let it = open.pop(); it; it = open.pop())
    for (const id of it.because) {
      const cause = byId.get(id);
      if (!cause || found.has(id)) continue;
      found.set(id, cause);
      open.push(cause);
    }
  return [...found.values()].sort((a, b) => a.id - b.id).slice(-stepsMax);
}

const beginnings: Phrases = ['first', 'at first'];
/** What follows from what another did, and what the same one does next. */
const consequences: Phrases = ['so', 'therefore', 'because of that'];
const continuations: Phrases = ['then', 'after that'];
const others: Phrases = ['also', 'besides'];

/** @param events those that were seen; they may hold the event itself */
export function explanation(
  event: YardEvent,
  events: readonly YardEvent[],
  cast: Cast,
  random: RandomStream,
): string {
  const names = new Names(cast);
  const steps = chain(event, events);
  const tellings = new Map<number, Told>();
  const sentences = steps.map((step, index) => {
    const told = tell(step, names, random);
    const clause = join(step, index, told);
    tellings.set(step.id, told);
    return sentence(clause);
  });
  if (steps.length === 1) sentences.push(sentence(withoutCause(event, random)));
  return sentences.join(' ');

  function join(step: YardEvent, index: number, told: Told): string {
    if (index === 0) return `${random.pick(beginnings)} ${happens(told)}`;
    const before = steps[index - 1];
    if (before && step.because.includes(before.id)) {
      const earlier = otherCause(step, before);
      const words = before.actor === step.actor ? continuations : consequences;
      const follows = `${random.pick(words)} ${happens(told)}`;
      return earlier === undefined ? follows : `${follows} , for ${perfect(earlier)} too`;
    }
    const causes = step.because.filter((id) => tellings.has(id));
    if (causes.length === 0) return `${random.pick(others)} ${happens(told)}`;
    return `${happens(told)} because ${causes.map(perfect).join(' and ')}`;
  }

  /** A further cause that has not been told by the way: by another actor, and none that led to `before`. */
  function otherCause(step: YardEvent, before: YardEvent): number | undefined {
    const towards = chain(before, steps);
    return steps.find(
      (it) => step.because.includes(it.id) && !towards.includes(it) && it.actor !== step.actor,
    )?.id;
  }

  /** Told with the later name of who acted: it has been mentioned. */
  function perfect(id: number): string {
    const { predicate } = tellings.get(id) ?? { predicate: '' };
    const actor = steps.find((it) => it.id === id)?.actor ?? 0;
    return hasHappened({ subject: names.of(actor), predicate });
  }
}

/** Why an event happened that nothing seen led to. */
export function withoutCause(event: YardEvent, random: RandomStream): string {
  return comeIntoView.has(event.label)
    ? random.pick(['it was out of view before', 'nothing in view led to it'])
    : random.pick(['nothing else led to it', 'nothing in view led to it']);
}
