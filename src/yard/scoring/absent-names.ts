/**
 * Whether a text says that something is there which is not: the failure that explanations must not have. A text is read clause
 * by clause, as the yard's English is built (src/yard/text/): «no dog is in view» and «a van may come at any time» name a
 * class and claim nothing of the picture, «a van waits at the gate» does.
 */
import type { RecordedTruth } from '../data/read-recording.js';
import { yardClasses, yardLabels } from '../world/labels.js';

/** Other words for classes, each with those classes of which one must be there. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  driver: ['person'],
  resident: ['person'],
  owner: ['person'],
  people: ['person'],
  children: ['child'],
  taxi: ['car'],
  vehicle: ['car', 'van', 'forklift', 'bicycle'],
  // A stack is made of pallets.
  pallet: ['pallet', 'stack'],
};
const classNames = yardClasses.filter((name) => name !== 'background');
const classesOf: ReadonlyMap<string, readonly string[]> = new Map([
  ...classNames.map((name) => [name, [name]] as const),
  ...Object.entries(otherWords),
]);

const clauseEnds = /[.,;:]|\b(?:and|because|so|therefore|before|after|when|while|but|until)\b/;
/** What may come, comes often or is asked for need not be there. */
const isOpen =
  /\b(?:may|might|can|could|will|would|should|often|mostly|usually|sometimes|soon|perhaps|likely|waits? for|wants?|looks? for)\b|\bnow and then\b|\bat any time\b/;
const negations = new Set(['no', 'not', 'without', 'never', 'nor']);

/**
 * @param present classes that are in the picture
 * @returns classes whose presence the text claims wrongly, each once
 */
export function absentNames(text: string, present: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  for (const clause of text.toLowerCase().split(clauseEnds)) {
    if (isOpen.test(clause)) continue;
    const words = clause.match(/[a-z]+/g) ?? [];
    words.forEach((word, index) => {
      const one = classesOf.has(word) ? word : word.replace(/s$/, '');
      const classes = classesOf.get(one);
      if (!classes || isAttribute(words, index) || isNegated(words, index)) return;
      if (!classes.some((name) => present.has(name))) found.add(one);
    });
  }
  return [...found];
}

/** «a brown parcel van» names no parcel. */
function isAttribute(words: readonly string[], index: number): boolean {
  const next = (words[index + 1] ?? '').replace(/s$/, '');
  return words[index] === 'parcel' && classesOf.has(next);
}

/** «no person», «no other van», «not in the dock». */
function isNegated(words: readonly string[], index: number): boolean {
  return words.slice(Math.max(0, index - 3), index).some((word) => negations.has(word));
}

/**
 * Classes of which something could be seen in at least one of the window's clips: at a key frame, or because an event
 * began with it.
 *
 * @param lastClip of the window
 */
export function classesInView(
  { clips, events }: Pick<RecordedTruth, 'clips' | 'events'>,
  lastClip: number,
  clipsPerWindow: number,
): Set<string> {
  const firstClip = lastClip - clipsPerWindow + 1;
  const seen = clips
    .filter(({ clip }) => clip >= firstClip && clip <= lastClip)
    .flatMap(({ objects }) => objects.map((object) => object.class as string));
  const took = events
    .filter(({ onsetS }) => onsetS > firstClip && onsetS <= lastClip + 1)
    .flatMap(({ label }) => [yardLabels[label]?.actor, yardLabels[label]?.target]);
  return new Set([...seen, ...took.filter((name) => typeof name === 'string')]);
}
