/**
 * What a sentence says about the scene, as far as words can be checked against tracks. It understands the plain English that
 * the language model was trained on; a word that it does not know makes a clause unverified, never verified. Pure.
 */
import type { Label } from './manifest.js';
import type { SceneEvidence, Sign } from './scene-evidence.js';

export interface CheckedText {
  readonly verified: boolean;
  /** Classes that it says are there and that are not. */
  readonly absent: readonly string[];
}

/** Words for classes, beside their own and their plural. */
const classWords: Readonly<Record<string, readonly string[]>> = {
  people: ['person'],
  somebody: ['person'],
  nobody: ['person', 'child'],
  children: ['child'],
  taxi: ['car'],
  vehicle: ['car', 'van'],
  vehicles: ['car', 'van'],
};

/** A clause with one of these speaks of what may be or often is, not of what is seen. */
const hypothetical =
  /\b(may|might|could|can|would|will|often|mostly|usually|sometimes|seldom|rarely|perhaps|always|never|now and then|at any time|happens)\b/;
const negative = /\b(no|nobody|nothing|without)\b/;

const verbSigns: readonly (readonly [RegExp, Sign])[] = [
  [/^(stands?|standing|waits?|waited|waiting|stops?|stopped|stays?|lies|parks|parked)$/, 'stands'],
  [
    /^(moves?|drives?|driving|driven|walks?|walked|walking|runs?|running|rolls?|rolled|comes?|come|goes|gone|crosses|crossed|turns|turned|follows|approaches|brings|brought|plays|kicks)$/,
    'moves',
  ],
  [/^(enters|entered)$/, 'appears'],
  [/^(leaves|left)$/, 'vanishes'],
  [/^(brakes|slows|carries|holds|picks|puts|hands|gets|falls|flashes)$/, 'is'],
];

/** States that attributes tell: of which class, which attribute, and from where to where. */
const states: readonly (readonly [RegExp, string, string, number, number])[] = [
  [/\b(light is red|light stays red|red light)\b/, 'light', 'red', 0.5, 1],
  [/\b(light is green|green light)\b/, 'light', 'red', 0, 0.5],
  [/\bgate (is|stands|is still) open\b/, 'gate', 'open', 0.5, 1],
  [/\bgate (is|stays|is still) closed\b/, 'gate', 'open', 0, 0.5],
  [/\bgate opens\b/, 'gate', 'open', 0.05, 1],
];

/** Words that claim nothing that a track could show, and places that are no tracks. */
const plainWords = new Set(
  (
    'because a an the this that it its they and or but so then than as at on in of to into onto ' +
    'near before after behind beside for with from along across over out up down by away towards ' +
    'through is are was were be been has have had does do still now already just yet here there ' +
    'first next last other another only all one two three four five six seven eight nine ten ' +
    'second seconds moment time long short some since while until both view ' +
    'road pavement kerb lawn house yard way end place plain brown yellow red green open closed ' +
    'free quiet stripe mark headlights'
  ).split(' '),
);

/**
 * Checks each clause of a sentence: that the classes it names are there, and that one of the tracks of the first of them
 * does what its verb says. Verified: it says at least one thing that is seen, and nothing that is not.
 */
export function checkText(
  text: string,
  evidence: SceneEvidence,
  classes: readonly string[],
  labels: readonly Label[],
): CheckedText {
  const known = new Set(labels.flatMap((label) => label.text.split(' ')));
  const absent = new Set<string>();
  let borneOut = 0;
  let open = 0;
  for (const clause of text.toLowerCase().split(/\s+and\s+|\s+but\s+|\s+then\s+|\s*[,.;]\s*/)) {
    const words = clause.match(/[\p{L}\p{N}_-]+/gu) ?? [];
    if (words.length === 0 || hypothetical.test(clause)) continue;
    const named = words.map((word) => classesOf(word, classes)).filter((some) => some.length > 0);
    if (negative.test(clause)) {
      const isThere = named.flat().some((name) => evidence.tracksOf(name).length > 0);
      if (named.length > 0 && !isThere) borneOut++;
      else open++;
      continue;
    }
    const missing = named.filter((some) =>
      some.every((name) => evidence.tracksOf(name).length === 0),
    );
    missing.forEach(([name]) => name !== undefined && absent.add(name));
    const isUnderstood = words.every(
      (word) =>
        plainWords.has(word) ||
        known.has(word) ||
        classesOf(word, classes).length > 0 ||
        signOf(word) !== null,
    );
    const [doers = []] = named;
    const isShown = isClauseShown(clause, words, doers, evidence);
    if (named.length > 0 && missing.length === 0 && isUnderstood && isShown) borneOut++;
    else open++;
  }
  return { verified: borneOut > 0 && open === 0, absent: [...absent] };
}

function isClauseShown(
  clause: string,
  words: readonly string[],
  doers: readonly string[],
  evidence: SceneEvidence,
): boolean {
  const tracks = doers.flatMap((name) => evidence.tracksOf(name));
  const state = states.find(([pattern]) => pattern.test(clause));
  if (state) {
    const [, className, attribute, min, max] = state;
    return evidence.tracksOf(className).some((track) => {
      const value = evidence.attribute(track, attribute);
      return value >= min && value <= max;
    });
  }
  const sign = words.map(signOf).find((one) => one !== null);
  return sign !== undefined && tracks.some((track) => evidence.shows(track, sign));
}

function signOf(word: string): Sign | null {
  return verbSigns.find(([pattern]) => pattern.test(word))?.[1] ?? null;
}

function classesOf(word: string, classes: readonly string[]): readonly string[] {
  const own = [word, word.replace(/s$/, '')].find((one) => classes.indexOf(one) > 0);
  if (own !== undefined) return [own];
  return (classWords[word] ?? []).filter((name) => classes.includes(name));
}
