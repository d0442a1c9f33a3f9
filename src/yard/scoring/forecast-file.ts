/**
 * The file that a forecaster hands in: JSON Lines, one forecast a line, for any forecaster whatever it is made of.
 *
 *     {"scene":3,"clip":12,"events":[{"label":"van enters","confidence":0.4}],"nothing":0.4,"somethingElse":0.2}
 *     {"scene":3,"clip":12,"chances":{"nothing":0.4,"van enters":0.4,"gate opens":0.2}}
 *     {"scene":3,"clip":12,"target":"within","chances":{"van enters":0.6,"gate opens":0.5}}
 *
 * The first form is what a forecast message publishes. The second names any number of labels; those it leaves out have no
 * chance. `target` is "next" unless it says "within".
 */
import { z } from 'zod';
import { LookaheadError } from '../../errors.js';
import { yardLabels } from '../world/labels.js';

/** As many as a forecast message names. */
export const namedEventsMax = 3;

/** Rounded decimals need not sum to 1 to the last digit. What is left over decides nothing: sums are divided out. */
const sumSlack = 0.01;

const whole = z.number().int().nonnegative();
const chance = z.number().min(0).max(1);
const moment = { scene: whole, clip: whole };
const events = z
  .array(z.strictObject({ label: z.string(), confidence: chance }))
  .max(namedEventsMax);

const NextEventsSchema = z.strictObject({
  ...moment,
  target: z.literal('next').default('next'),
  events,
  nothing: chance,
  somethingElse: chance,
});
const NextChancesSchema = z.strictObject({
  ...moment,
  target: z.literal('next').default('next'),
  chances: z.record(z.string(), chance),
});
const WithinEventsSchema = z.strictObject({ ...moment, target: z.literal('within'), events });
const WithinChancesSchema = z.strictObject({
  ...moment,
  target: z.literal('within'),
  chances: z.record(z.string(), chance),
});

export type NextLine = z.output<typeof NextEventsSchema> | z.output<typeof NextChancesSchema>;
export type WithinLine = z.output<typeof WithinEventsSchema> | z.output<typeof WithinChancesSchema>;
/** `line` is where it stands in the file, from 1; a forecast that comes from no file has none. */
export type ForecastLine = (NextLine | WithinLine) & { readonly line?: number };

export type Labels = readonly { readonly text: string }[];

/** @throws LookaheadError usage: the first line that is wrong, with its field, its value and the remedy */
export function readForecasts(text: string, labels: Labels = yardLabels): ForecastLine[] {
  const lines = text.split(/\r?\n/).flatMap((json, index) => {
    if (json.trim() === '') return [];
    return [readLine(json, index + 1, labels)];
  });
  if (lines.length === 0)
    throw wrong('The file holds no forecast.', 'Write one JSON object a line.');
  return lines;
}

function readLine(json: string, line: number, labels: Labels): ForecastLine {
  const at = `Line ${String(line)}`;
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch (cause) {
    throw wrong(
      `${at} is no JSON: ${shown(json)}.`,
      'Write one JSON object a line; JSON has no NaN and no Infinity.',
      { cause },
    );
  }
  const parsed = schemaOf(raw).safeParse(raw);
  if (!parsed.success) throw ofIssue(at, raw, parsed.error.issues[0]);
  checkLabels(at, parsed.data, labels);
  if (parsed.data.target === 'next') checkSum(at, parsed.data);
  return { ...parsed.data, line };
}

function schemaOf(raw: unknown): z.ZodType<NextLine | WithinLine> {
  const has = (key: string): boolean => typeof raw === 'object' && raw !== null && key in raw;
  const isWithin = has('target') && (raw as { target: unknown }).target === 'within';
  if (has('chances')) return isWithin ? WithinChancesSchema : NextChancesSchema;
  return isWithin ? WithinEventsSchema : NextEventsSchema;
}

function ofIssue(at: string, raw: unknown, issue: z.core.$ZodIssue | undefined): LookaheadError {
  const path = issue?.path ?? [];
  const field = path.map(String).join('.') || 'object';
  const value = path.reduce<unknown>(
    (from, key) => (from as Record<PropertyKey, unknown> | undefined)?.[key],
    raw,
  );
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const own = shown((value as Record<string, unknown> | undefined)?.[key]);
    const said = `${at}: ${path.length > 0 ? `${field}.` : ''}${key} is ${own}, and no field here.`;
    return wrong(
      said,
      'A line has scene, clip, target, and either chances, or events with, for "next", nothing and somethingElse.',
    );
  }
  if (value === undefined)
    return wrong(`${at}: ${field} is missing.`, 'Add it; docs/yard.md describes the file.');
  return wrong(
    `${at}: ${field} is ${shown(value)}: ${issue?.message ?? 'invalid'}.`,
    remedyOf(String(path[0]), path.at(-1)),
  );
}

function remedyOf(field: string, last: PropertyKey | undefined): string {
  if (field === 'scene' || field === 'clip') return 'Give a whole number from 0.';
  if (field === 'target') return 'Give "next" or "within", or leave it out for "next".';
  if (last === undefined) return 'Write one JSON object a line.';
  if (last === 'events')
    return `Name at most ${String(namedEventsMax)} events, or give all labels as "chances".`;
  return 'Give a chance from 0 to 1.';
}

function checkLabels(at: string, line: NextLine | WithinLine, labels: Labels): void {
  const known = new Set(labels.map(({ text }) => text));
  const seen = new Set<string>();
  const nothing = labels[0]?.text ?? 'nothing';
  const named: [string, string][] =
    'chances' in line
      ? Object.keys(line.chances).map((label) => ['chances', label])
      : line.events.map(({ label }, index) => [`events.${String(index)}.label`, label]);
  for (const [field, label] of named) {
    const said = `${at}: ${field} names ${shown(label)}`;
    if (!known.has(label))
      throw wrong(
        `${said}, which is no label.`,
        `Use one of the ${String(labels.length)} labels of the yard, for example ${shown(labels[1]?.text)}.`,
      );
    if (label === nothing && line.target === 'within')
      throw wrong(
        `${said}, which is nothing that begins.`,
        'Leave it out: "within" asks of each event alone.',
      );
    if (label === nothing && 'events' in line)
      throw wrong(`${said}, which is no event.`, 'Give its chance as "nothing".');
    if (seen.has(label)) throw wrong(`${said} twice.`, 'Name each label once; add the chances up.');
    seen.add(label);
  }
}

function checkSum(at: string, line: NextLine): void {
  const sum =
    'chances' in line
      ? add(Object.values(line.chances))
      : add([...line.events.map(({ confidence }) => confidence), line.nothing, line.somethingElse]);
  if (Math.abs(sum - 1) <= sumSlack) return;
  const parts = 'chances' in line ? 'chances' : 'events, nothing and somethingElse';
  throw wrong(
    `${at}: ${parts} sum to ${String(Number(sum.toFixed(6)))}, not to 1.`,
    'The labels exclude each other: divide by the sum, or put what is left into the rest.',
  );
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function add(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What is wrong with a forecaster's file. */
export function wrong(what: string, remedy: string, options?: ErrorOptions): LookaheadError {
  return new LookaheadError('usage', what, remedy, options);
}
