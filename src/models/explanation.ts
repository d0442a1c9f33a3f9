/** Causal steps in words, each with its evidence. Pure. */
import type { ExplanationStep, RecognisedEvent } from '../types.js';
import type { Manifest } from './manifest.js';
import type { SceneEvidence } from './scene-evidence.js';
import type { SeenWindow } from './seen-window.js';

/** As many recognised events as the log before a question holds. */
const logMax = 12;

/** What was recognised in the window, oldest first, the newest `logMax` of it. */
export function eventLog(window: SeenWindow): RecognisedEvent[] {
  return window
    .flatMap(({ events }) => events)
    .sort((a, b) => a.onsetMs - b.onsetMs)
    .slice(-logMax);
}

/** Which of the earlier events an event came of. */
export interface CausedEvent {
  readonly event: RecognisedEvent;
  /** Not empty. */
  readonly causes: readonly RecognisedEvent[];
}

export function explanationStep(
  { event, causes }: CausedEvent,
  evidence: SceneEvidence,
  { labels, classes }: Pick<Manifest, 'labels' | 'classes'>,
): ExplanationStep {
  const tell = (one: RecognisedEvent) => {
    const label = labels[one.label];
    if (!label) throw new Error(`There is no label ${one.label}.`);
    return { one, words: withArticles(label.text, classes), ...evidence.check(one, label) };
  };
  const what = tell(event);
  // A cause that the scene does not bear out is left out where another is borne out.
  const all = causes.map(tell);
  const borneOut = all.filter(({ verified }) => verified);
  const why = borneOut.length > 0 ? borneOut : all;
  const said = [what, ...why];
  const times = said.map(({ one }) => one.onsetMs);
  const tracks = new Set(said.flatMap((one) => one.tracks));
  return {
    text: `${what.words}, because ${why.map(({ words }) => words).join(' and ')}`,
    label: event.label,
    causes: why.map(({ one }) => ({ label: one.label, onsetMs: one.onsetMs })),
    verified: what.verified && borneOut.length > 0,
    evidence: {
      tracks: [...tracks].sort((a, b) => a - b),
      fromMs: Math.min(...times),
      toMs: Math.max(...times),
    },
  };
}

/** «van stops at gate»: «the van stops at the gate». Of places that are no things, labels name the road alone. */
export function withArticles(text: string, classes: readonly string[]): string {
  const nouns = new Set([...classes.slice(1), 'road']);
  return text
    .split(' ')
    .map((word) => (nouns.has(word) ? `the ${word}` : word))
    .join(' ');
}

/** Training's text has spaces before its punctuation, people's has none; the last full stop is left out. */
export function readable(text: string): string {
  return text
    .trim()
    .replace(/\s*\.$/, '')
    .replace(/\s+([.,;:?!])/g, '$1')
    .replace(/\s+/g, ' ');
}

/** People's text as training's: lower case, spaces before punctuation. */
export function asTrained(text: string): string {
  return text
    .toLowerCase()
    .replace(/\s*([.,;:?!])/g, ' $1')
    .replace(/\s+/g, ' ')
    .trim();
}
