/** What was written beside what the simulator's teller wrote of the same moment: for text metrics and for judges. */
import { z } from 'zod';
import type { RecordedTruth } from '../data/read-recording.js';
import type { ForecastedWindow } from './forecast-results.js';

export const TextLineSchema = z.object({
  kind: z.enum(['justification', 'explanation']),
  hypothesis: z.string(),
  references: z.array(z.string()).min(1).readonly(),
  /** What was seen in the window, as the teller tells it: the facts that a judge needs. */
  context: z.string(),
  scene: z.number().int(),
  clip: z.number().int(),
});
export type TextLine = z.output<typeof TextLineSchema>;

/** Verified texts that have a reference; a label that came first in none of the recorded futures has none. */
export function textLines(
  truth: RecordedTruth,
  { clip, explained }: ForecastedWindow,
  labels: readonly { readonly text: string }[],
): TextLine[] {
  const window = truth.windows.find((it) => it.clip === clip);
  if (!window || !explained) return [];
  const at = { context: truth.clips[clip]?.description ?? '', scene: truth.scene.scene, clip };
  const lines: TextLine[] = [];
  for (const { label, text, verified } of explained.justifications) {
    const references = window.reasons
      .filter((reason) => labels[reason.label]?.text === label)
      .map((reason) => reason.text);
    if (verified && text.trim() !== '' && references.length > 0)
      lines.push({ kind: 'justification', hypothesis: text, references, ...at });
  }
  const references = window.tasks
    .filter(({ task }) => task === 'explain')
    .map(({ answer }) => answer);
  const told = explained.steps.filter(({ verified }) => verified).map(({ text }) => text);
  if (told.length > 0 && references.length > 0)
    lines.push({ kind: 'explanation', hypothesis: told.join(' . '), references, ...at });
  return lines;
}
