/** A diagram that can be read by eye, by pointer, by keyboard and by ear: drawing, words of one point, table of all. */
import { useSignal } from '@preact/signals';
import type { ComponentChild, ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Table, type Column, type Row } from './table.js';

/** About the width of a small phone, so that letters keep their size there; wider screens scale it up. */
export const plotWidth = 340;
export const plotLeft = 38;
export const plotRight = plotWidth - 10;

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly says: string;
}

export interface PlotProps {
  readonly title: string;
  /** What it means, one sentence. */
  readonly means: ComponentChild;
  readonly height: number;
  /** What is heard in its place. */
  readonly says: string;
  readonly points: readonly PlotPoint[];
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly children: ComponentChildren;
}

export function Plot(props: PlotProps): ComponentChild {
  const { title, means, height, says, points, columns, rows, children } = props;
  const chosen = useSignal<number | undefined>(undefined);
  const id = useId();
  const point = chosen.value === undefined ? undefined : points[chosen.value];

  const move = (event: KeyboardEvent): void => {
    const last = points.length - 1;
    const now = chosen.value ?? -1;
    const next = {
      ArrowRight: Math.min(last, now + 1),
      ArrowLeft: Math.max(0, now - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    chosen.value = next;
  };
  const pointAt = (event: PointerEvent): void => {
    const { left, width } = (event.currentTarget as SVGElement).getBoundingClientRect();
    chosen.value = nearest(points, ((event.clientX - left) / width) * plotWidth);
  };

  return (
    <figure class="plot panel" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <p class="quiet">{means}</p>
      </figcaption>
      <svg
        viewBox={`0 0 ${plotWidth} ${height}`}
        role="img"
        aria-label={`${says} Arrow keys tell each point.`}
        tabindex={0}
        onKeyDown={move}
        onPointerMove={pointAt}
        onPointerDown={pointAt}
        onPointerLeave={() => (chosen.value = undefined)}
        onFocus={() => (chosen.value ??= points.length > 0 ? 0 : undefined)}
        onBlur={() => (chosen.value = undefined)}
      >
        {children}
        {point !== undefined && <circle class="chosen" cx={point.x} cy={point.y} r={7} />}
      </svg>
      <p class="readout" aria-live="polite">
        {point?.says ?? 'Point at it, or move with the arrow keys, to read single values.'}
      </p>
      <details>
        <summary>Numbers</summary>
        <Table caption={title} isCaptionHidden columns={columns} rows={rows} />
      </details>
    </figure>
  );
}

function nearest(points: readonly PlotPoint[], x: number): number | undefined {
  if (points.length === 0) return undefined;
  return points.reduce(
    (best, point, index) => (Math.abs(point.x - x) < Math.abs(points[best]!.x - x) ? index : best),
    0,
  );
}

export interface LineProps {
  readonly kind: string;
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

export function Line({ kind, from: [x1, y1], to: [x2, y2] }: LineProps): ComponentChild {
  return <line class={kind} x1={x1} y1={y1} x2={x2} y2={y2} />;
}

export interface WordsProps {
  readonly at: readonly [x: number, y: number];
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly children: ComponentChildren;
}

export function Words({ at: [x, y], anchor = 'middle', children }: WordsProps): ComponentChild {
  return (
    <text x={x} y={y} text-anchor={anchor}>
      {children}
    </text>
  );
}
