/** Reasons in words: fixed text by the program, slots by the model, all of it held against the scene. */
import type { Explanation, ExplanationStep } from '../types.js';
import { checkText } from './claims.js';
import { greedy, type DecodeLimits } from './decode.js';
import { eventLog, explanationStep, readable, type CausedEvent } from './explanation.js';
import type { Manifest, Prompts } from './manifest.js';
import { SceneEvidence } from './scene-evidence.js';
import type { SeenWindow } from './seen-window.js';
import { chooseSlots, fillFree } from './slots.js';
import { readText, type TokenTree } from './token-tree.js';

/** What all prose of one request is written with. */
export interface Wording {
  readonly prompts: Prompts;
  readonly manifest: Pick<Manifest, 'labels' | 'classes'>;
  readonly encode: (text: string) => readonly number[];
  readonly limits: (tokensMax: number, budgetMs: number) => DecodeLimits;
}

export interface ProseBudget {
  readonly tokensMax: number;
  readonly budgetMs: number;
}

/**
 * «because ...» for each label, all at once. What names a class that is not there is left out and counted; what breaks off is
 * not verified.
 *
 * @param stem position behind the fused prefix
 */
export async function justify(
  tree: TokenTree,
  stem: number,
  top: readonly number[],
  window: SeenWindow,
  { tokensMax, budgetMs }: ProseBudget,
  { prompts, manifest, encode, limits }: Wording,
): Promise<Pick<Explanation, 'justifications' | 'absentNamed'>> {
  if (tokensMax <= 0 || budgetMs <= 0) return { justifications: [], absentNamed: 0 };
  const { labels, classes } = manifest;
  const parts = (label: number): string[] => [
    prompts.forecast,
    ` ${labels[label]?.text ?? ''}`,
    prompts.justify,
    ' because',
  ];
  const starts = top.map((label) => ({ parent: stem, ids: parts(label).flatMap(encode) }));
  const texts = await fillFree(tree, starts, greedy, {
    ...limits(tokensMax, budgetMs),
    stops: [' .'],
  });
  const evidence = new SceneEvidence(window);
  let absentNamed = 0;
  const justifications = top.map((label, row) => {
    const { text = '', end } = texts[row] ?? {};
    const words = readable(text);
    const said = `because ${words}`;
    const { verified, absent } = checkText(said, evidence, classes, labels);
    if (absent.length > 0) absentNamed++;
    if (absent.length > 0 || !/\p{L}/u.test(words)) return { label, text: '', verified: false };
    const isWhole = end === 'stop';
    return { label, text: isWhole ? said : `${said}…`, verified: verified && isWhole };
  });
  return { justifications, absentNamed };
}

/** «Seen: van enters . gate opens .» */
export function logIds(window: SeenWindow, { prompts, manifest, encode }: Wording): number[] {
  const seen = eventLog(window).map(({ label }) => ` ${manifest.labels[label]?.text ?? ''} .`);
  return [prompts.events, ...seen].flatMap(encode);
}

/**
 * For each recognised event of the window with something before it: which of that it came of. The model chooses among the
 * earlier events and «nothing», for all of them in one run.
 *
 * @param stem position behind the fused prefix
 * @param causeMin from this chance on something is called a cause
 */
export async function explainEvents(
  tree: TokenTree,
  stem: number,
  window: SeenWindow,
  wording: Wording,
  causeMin: number,
): Promise<ExplanationStep[]> {
  const { prompts, manifest, encode } = wording;
  const log = eventLog(window);
  if (log.length < 2) return [];
  const { last } = await readText(tree, stem, logIds(window, wording));
  const textOf = (label: number): string => ` ${manifest.labels[label]?.text ?? ''}`;
  const asked = log.slice(1).map((event, index) => {
    // Of several of one label the newest is meant.
    const earlier = new Map(log.slice(0, index + 1).map((one) => [one.label, one]));
    return { event, earlier: [...earlier.values()] };
  });
  const chances = await chooseSlots(
    tree,
    asked.map(({ event, earlier }) => ({
      parent: last,
      ids: [prompts.cause, textOf(event.label), ':'].flatMap(encode),
      options: [0, ...earlier.map(({ label }) => label)].map((label) =>
        encode(`${textOf(label)} .`),
      ),
    })),
  );
  const evidence = new SceneEvidence(window);
  return asked
    .map(({ event, earlier }, row): CausedEvent => ({
      event,
      causes: earlier.filter((_, index) => (chances[row]?.[index + 1] ?? 0) >= causeMin),
    }))
    .filter(({ causes }) => causes.length > 0)
    .map((one) => explanationStep(one, evidence, manifest));
}
