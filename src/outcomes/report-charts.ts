/** The plots of a report's page: SVG that a phone can read, coloured by the page's own style. */
import type { ReliabilityRow } from './calibration-histogram.js';
import type { LeadRow, ReportSlice } from './report-sums.js';
import { countText, leadText, markText, secondsText } from './report-tables.js';
import { wilson } from './wilson.js';

/** About the width of a small phone, so that letters keep their size there; wider screens scale it up. */
const width = 340;
const left = 38;
const right = width - 8;

interface Plot {
  readonly height: number;
  /** What a screen reader says in its place. */
  readonly says: string;
  readonly shapes: readonly string[];
}

function svg({ height, says, shapes }: Plot): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(says)}">${shapes.join('')}</svg>`;
}

/** For text and attributes of HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.codePointAt(0))};`);
}

const at = (value: number): string => String(Math.round(value * 10) / 10);
const line = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;
const bar = (kind: string, x: number, y: number, wide: number, high: number): string =>
  `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(wide)}" height="${at(high)}" rx="1"/>`;
const text = (x: number, y: number, words: string, anchor = 'middle'): string =>
  `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
/** Shown by browsers where the pointer rests. */
const titled = (shape: string, words: string): string =>
  shape.replace(
    /\/>$/,
    `><title>${escaped(words)}</title></${shape.slice(1, shape.indexOf(' '))}>`,
  );

/**
 * Of what was called so likely, how much came: points on the diagonal are right. Whiskers are Wilson's 95 % intervals, bars
 * below the number of chances.
 */
export function reliabilityPlot(rows: readonly ReliabilityRow[]): string {
  const [top, bottom, floor] = [8, 232, 300];
  const x = (share: number): number => left + share * (right - left);
  const y = (share: number): number => bottom - share * (bottom - top);
  const most = Math.max(1, ...rows.map(({ pairs }) => pairs));
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const shapes = [
    ...ticks.flatMap((tick) => [
      line('grid', left, y(tick), right, y(tick)),
      text(left - 5, y(tick) + 4, `${tick * 100}`, 'end'),
      text(x(tick), bottom + 15, `${tick * 100}`, tick === 1 ? 'end' : 'middle'),
    ]),
    line('ideal', x(0), y(0), x(1), y(1)),
    ...rows.flatMap(({ from, to, pairs, said, came }) => {
      const [low, high] = wilson(came, pairs);
      const gap = 2;
      const high0 = (30 * pairs) / most;
      const words = `said ${percentText(said)}, came ${percentText(came)}, ${countText(pairs)} chances`;
      return [
        line('whisker', x(said), y(low), x(said), y(high)),
        titled(`<circle class="model" cx="${at(x(said))}" cy="${at(y(came))}" r="4.5"/>`, words),
        titled(bar('count', x(from) + gap, floor - high0, x(to) - x(from) - 2 * gap, high0), words),
        text((x(from) + x(to)) / 2, floor - high0 - 3, shortCount(pairs)),
      ];
    }),
    text((left + right) / 2, floor + 14, 'chance that was said, %; bars: how often'),
    `<text transform="translate(11 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">came true, %</text>`,
  ];
  const says = rows
    .map(
      ({ said, came, pairs }) => `said ${percentText(said)}, came ${percentText(came)} of ${pairs}`,
    )
    .join('; ');
  return svg({
    height: floor + 20,
    says: `Reliability: ${says || 'nothing was decided'}.`,
    shapes,
  });
}

/** Skill of each slice over the two baselines; where nothing was decided the lines break. Below 0 the model is not worth its cost. */
export function skillPlot(slices: readonly ReportSlice[], sliceMs: number): string {
  const [top, bottom] = [10, 190];
  const skills = slices.flatMap(({ skillOverBaseRate, skillOverPersistence }) =>
    [skillOverBaseRate, skillOverPersistence].filter((skill) => skill !== null),
  );
  // A slice of few outcomes can be far below; it must not press all others together.
  const least = Math.max(-1, Math.min(0, ...skills.map((skill) => Math.floor(skill * 4) / 4)));
  const x = (index: number): number => left + ((index + 0.5) * (right - left)) / slices.length;
  const y = (skill: number): number =>
    bottom - ((Math.max(least, skill) - least) * (bottom - top)) / (1 - least);
  const step = least < -0.5 ? 0.5 : 0.25;
  const ticks = Array.from(
    { length: Math.round((1 - least) / step) + 1 },
    (_, i) => least + i * step,
  );
  const every = Math.max(1, Math.ceil(slices.length / 4));
  const curve = (kind: string, of: (slice: ReportSlice) => number | null): string[] => {
    const runs: string[][] = [[]];
    const points = slices.flatMap((slice, index) => {
      const skill = of(slice);
      if (skill === null) {
        runs.push([]);
        return [];
      }
      runs.at(-1)!.push(`${at(x(index))},${at(y(skill))}`);
      const words = `${clockText(slice.from, sliceMs)}: skill ${markText(skill)}, ${countText(slice.outcomes)} outcomes`;
      return [
        titled(
          `<circle class="${kind} dot" cx="${at(x(index))}" cy="${at(y(skill))}" r="2.5"/>`,
          words,
        ),
      ];
    });
    const lines = runs.filter((run) => run.length > 1);
    return [
      ...lines.map((run) => `<polyline class="${kind}" points="${run.join(' ')}"/>`),
      ...points,
    ];
  };
  const shapes = [
    ...ticks.flatMap((tick) => [
      line(tick === 0 ? 'axis' : 'grid', left, y(tick), right, y(tick)),
      text(left - 5, y(tick) + 4, markText(tick), 'end'),
    ]),
    ...slices.flatMap(({ from }, index) =>
      index % every === 0 ? [text(x(index), bottom + 16, clockText(from, sliceMs))] : [],
    ),
    ...curve('base-rate', ({ skillOverBaseRate }) => skillOverBaseRate),
    ...curve('persistence', ({ skillOverPersistence }) => skillOverPersistence),
  ];
  const range =
    skills.length === 0
      ? 'there is nothing to say it from'
      : `from ${markText(Math.min(...skills))} to ${markText(Math.max(...skills))}`;
  return svg({ height: bottom + 24, says: `Skill over time: ${range}.`, shapes });
}

/** How long before an event it was called most likely. */
export function leadPlot(rows: readonly LeadRow[]): string {
  const [top, bottom] = [16, 170];
  const most = Math.max(1, ...rows.map(({ hits }) => hits));
  const wide = (right - left) / Math.max(1, rows.length);
  const every = Math.max(1, Math.ceil(rows.length / 6));
  const shapes = [
    ...[0.5, 1].map((share) =>
      line('grid', left, bottom - share * (bottom - top), right, bottom - share * (bottom - top)),
    ),
    text(left - 5, top + 4, shortCount(most), 'end'),
    text(left - 5, bottom + 4, '0', 'end'),
    ...rows.flatMap((row, index) => {
      const high = (row.hits * (bottom - top)) / most;
      const x = left + index * wide;
      const kind = row.toMs <= 0 ? 'late' : 'model';
      return [
        titled(
          bar(kind, x + 1, bottom - high, Math.max(1, wide - 2), high),
          `${leadText(row)}: ${countText(row.hits)} hits`,
        ),
        ...(index % every === 0 ? [text(x, bottom + 16, secondsText(row.fromMs))] : []),
      ];
    }),
    line('axis', left, bottom, right, bottom),
    text((left + right) / 2, bottom + 32, 'seconds from issue to onset; below 0: too late'),
  ];
  const says = rows.map((row) => `${leadText(row)}: ${row.hits}`).join('; ');
  return svg({ height: bottom + 38, says: `Lead times of hits: ${says || 'none'}.`, shapes });
}

export const percentText = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** So short that the counts of neighbouring bars do not touch. */
export function shortCount(count: number): string {
  const short = (by: number, unit: string): string =>
    `${(count / by).toFixed(count < 9.95 * by ? 1 : 0)}${unit}`;
  if (count < 1_000) return String(count);
  return count < 999_500 ? short(1e3, 'k') : short(1e6, 'M');
}

/** Of day and hour what tells slices apart. */
export function clockText(iso: string, sliceMs: number): string {
  if (sliceMs >= 86_400_000) return iso.slice(5, 10);
  return sliceMs >= 7_200_000 ? `${iso.slice(8, 10)}. ${iso.slice(11, 16)}` : iso.slice(11, 16);
}
