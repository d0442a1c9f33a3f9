/** Tables for people, as plain text or as Markdown that can be pasted. */
import type { Measure } from './scene-sums.js';

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The first row is the heading. */
export function markdownTable([heading = [], ...rows]: readonly (readonly string[])[]): string[] {
  return [heading, heading.map(() => '---'), ...rows].map(markdownRow);
}

export const markdownRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function measureText(measure: Measure | null): string {
  return measure ? `${measure.value.toFixed(3)} ${rangeOf(measure.interval, 3)}` : '-';
}

export function rangeOf([low, high]: readonly [number, number], decimals: number): string {
  return `[${low.toFixed(decimals)}, ${high.toFixed(decimals)}]`;
}
