/** Draws the future lane on a canvas. */
import type { EventMessage } from '../../messages.js';
import { verdictRuns, type Band, type Column, type Verdict } from './lane-columns.js';
import { rowFor, spread } from './lane-labels.js';
import { laneScale, xOf, type LaneScale } from './lane-scale.js';
import { colour, labelColour, labelInk } from './theme.js';
import { percent, verdictGlyphs } from './words.js';
import type { Surface } from './canvas-size.js';

export interface LaneSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LaneView {
  readonly columns: readonly Column[];
  readonly events: readonly EventMessage[];
  readonly nowMs: number;
  readonly pastMs: number;
  readonly aheadMs: number;
  /** By id: what is open, and what the keyboard or the mouse is at. */
  readonly openId: string | undefined;
  readonly activeId: string | undefined;
  /** What the open forecast has looked at, and what it speaks of. */
  readonly window: LaneSpan | undefined;
  readonly horizon: LaneSpan | undefined;
  /** What a step of an explanation rests on. */
  readonly lit: LaneSpan | undefined;
  /** Instead of what is to come, where nothing is known of it. */
  readonly note: string;
}

export interface LaneLayout {
  readonly isWide: boolean;
  /** Of the row of verdicts. */
  readonly glyphY: number;
  /** Upper edge and foot of the piles. */
  readonly top: number;
  readonly foot: number;
  readonly font: string;
  readonly lineGap: number;
}

const family = 'system-ui, sans-serif';
/** Middle and foot of the times above a wide lane. */
const [axisY, axisFoot] = [11, 20];

export function layoutOf(height: number, isWide: boolean): LaneLayout {
  return isWide
    ? {
        isWide,
        glyphY: 32,
        top: 46,
        foot: height - 68,
        font: `13px ${family}`,
        lineGap: 18,
      }
    : { isWide, glyphY: 9, top: 18, foot: height - 9, font: `12px ${family}`, lineGap: 14.5 };
}

export function scaleOf(width: number, view: LaneView): LaneScale {
  return laneScale(width, view.nowMs, view.pastMs, view.aheadMs);
}

export function drawLane({ context, width, height }: Surface, view: LaneView, wide: boolean): void {
  const scale = scaleOf(width, view);
  const layout = layoutOf(height, wide);
  context.font = layout.font;
  context.textBaseline = 'middle';
  drawGround(context, scale, layout);
  const current = view.columns.findLast(
    ({ fromMs, horizonToMs }) => fromMs <= view.nowMs + 1_000 && horizonToMs > view.nowMs,
  );
  for (const column of view.columns) drawColumn(context, scale, layout, column, view);
  drawVerdicts(context, scale, layout, view.columns);
  drawSpans(context, scale, layout, view);
  drawEvents(context, scale, layout, view.events);
  drawNow(context, scale, layout);
  if (current !== undefined) drawAnswers(context, scale, layout, current);
  else drawNote(context, scale, layout, view.note);
}

function drawGround(
  context: CanvasRenderingContext2D,
  scale: LaneScale,
  { isWide, top, foot }: LaneLayout,
): void {
  const { nowPx, widthPx, nowMs, pastMs, aheadMs } = scale;
  context.fillStyle = colour('--ahead');
  context.fillRect(nowPx, 0, widthPx - nowPx, foot);
  context.fillStyle = colour('--edge');
  context.fillRect(0, foot, widthPx, 1);
  const step = isWide ? 10_000 : 5_000;
  context.textAlign = 'center';
  for (let back = step; back < pastMs; back += step) {
    const x = Math.round(xOf(scale, nowMs - back));
    context.fillStyle = colour('--edge');
    context.fillRect(x, isWide ? axisFoot : foot, 1, isWide ? foot - axisFoot : 4);
    context.fillStyle = colour('--quiet');
    if (isWide && back % 20_000 === 0) context.fillText(`−${back / 1000} s`, x, axisY);
  }
  for (let ahead = 1_000; ahead <= aheadMs; ahead += 1_000) {
    const x = Math.round(xOf(scale, nowMs + ahead));
    context.fillStyle = colour('--edge');
    context.fillRect(x, isWide ? axisFoot : top, 1, foot - (isWide ? axisFoot : top));
    context.fillStyle = colour('--quiet');
    if (isWide && ahead < aheadMs) context.fillText(`+${ahead / 1000} s`, x, axisY);
  }
}

function drawColumn(
  context: CanvasRenderingContext2D,
  scale: LaneScale,
  layout: LaneLayout,
  column: Column,
  view: LaneView,
): void {
  const { widthPx } = scale;
  const left = Math.max(0, xOf(scale, column.fromMs));
  const right = Math.min(widthPx, xOf(scale, column.toMs));
  if (right - left < 0.5) return;
  const { top, foot } = layout;
  const tall = foot - top;
  const isDecided = column.verdict !== 'waiting' && column.verdict !== 'undecidable';
  for (const band of column.bands) {
    const upper = foot - band.to * tall;
    const lower = foot - band.from * tall;
    const strength = isDecided
      ? band.isTrue
        ? 1
        : 0.28
      : column.verdict === 'waiting'
        ? 0.8
        : 0.2;
    context.fillStyle = fillOf(band, strength, column.isCalibrated);
    // A hair of ground between neighbours, so that each forecast can be told from the next.
    context.fillRect(left, upper, right - left - 1, Math.max(0, lower - upper - 0.75));
    if (band.isTrue) {
      context.fillStyle = band.kind === 'nothing' ? colour('--quiet') : inkOf(band);
      context.fillRect(left, upper, right - left - 1, 2);
    }
  }
  if (column.id === view.openId || column.id === view.activeId) {
    context.strokeStyle = colour('--accent');
    context.lineWidth = column.id === view.openId ? 3 : 2;
    context.setLineDash(column.id === view.openId ? [] : [4, 3]);
    context.strokeRect(left + 0.5, top - 2, Math.max(4, right - left - 2), tall + 3);
    context.setLineDash([]);
  }
}

const verdictInk = {
  hit: '--good',
  miss: '--bad',
  surprise: '--surprise',
  undecidable: '--quiet',
} as const;

/** A shape of its own for each verdict, once for neighbours that share it, and a line as long as they lasted. */
function drawVerdicts(
  context: CanvasRenderingContext2D,
  scale: LaneScale,
  layout: LaneLayout,
  columns: readonly Column[],
): void {
  for (const { verdict, fromMs, toMs } of verdictRuns(columns)) {
    const left = Math.max(0, xOf(scale, fromMs));
    const right = Math.min(scale.nowPx - 2, xOf(scale, toMs) - 1);
    if (right - left >= 3) drawVerdict(context, layout, verdict, left, right);
  }
}

function drawVerdict(
  context: CanvasRenderingContext2D,
  { glyphY, top, isWide }: LaneLayout,
  verdict: Verdict,
  left: number,
  right: number,
): void {
  const x = (left + right) / 2;
  if (verdict === 'waiting') {
    context.fillStyle = colour('--quiet');
    for (const dot of [-5, 0, 5]) {
      if (Math.abs(dot) < (right - left) / 2) context.fillRect(x + dot - 1, glyphY - 1, 2, 2);
    }
    return;
  }
  const half = Math.min(isWide ? 8 : 6.5, (right - left) / 2);
  context.textAlign = 'center';
  context.fillStyle = colour(verdictInk[verdict]);
  context.fillRect(left, top - 4, right - left, 2);
  const font = context.font;
  context.font = `bold ${Math.round(half * (verdict === 'undecidable' ? 1.9 : 1.6))}px ${family}`;
  if (verdict !== 'undecidable') {
    context.beginPath();
    if (verdict === 'hit') context.arc(x, glyphY, half, 0, 7);
    else if (verdict === 'miss') {
      context.rect(x - half + 0.5, glyphY - half + 0.5, 2 * half - 1, 2 * half - 1);
    } else {
      context.moveTo(x, glyphY - half - 1);
      context.lineTo(x + half, glyphY);
      context.lineTo(x, glyphY + half + 1);
      context.lineTo(x - half, glyphY);
    }
    context.fill();
    context.fillStyle = colour('--panel');
  }
  if (half > 3.5) context.fillText(verdictGlyphs[verdict], x, glyphY + 0.5);
  context.font = font;
}

function fillOf({ kind, label, chance }: Band, strength: number, isCalibrated: boolean): string {
  if (kind === 'nothing') return 'transparent';
  if (kind === 'else' || !isCalibrated) {
    return withAlpha(colour('--band'), strength * (kind === 'else' ? 0.75 : 0.55 + 0.45 * chance));
  }
  return labelColour(label, strength * (0.55 + 0.45 * chance));
}

function inkOf({ kind, label }: Band): string {
  return kind === 'event' ? labelInk(label) : colour('--surprise');
}

/** @param resolved `rgb(…)` */
function withAlpha(resolved: string, alpha: number): string {
  return resolved.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha.toFixed(2)})`);
}

function drawSpans(
  context: CanvasRenderingContext2D,
  scale: LaneScale,
  { top, foot, isWide }: LaneLayout,
  { window, horizon, lit }: LaneView,
): void {
  if (window !== undefined) {
    const [left, right] = [xOf(scale, window.fromMs), xOf(scale, window.toMs)];
    context.fillStyle = colour('--accent');
    context.globalAlpha = 0.1;
    context.fillRect(left, top, right - left, foot - top);
    context.globalAlpha = 1;
    context.fillRect(left, isWide ? axisFoot : top - 2, right - left, 3);
  }
  if (horizon !== undefined) {
    const [left, right] = [xOf(scale, horizon.fromMs), xOf(scale, horizon.toMs)];
    context.fillStyle = colour('--future');
    context.fillRect(left + 1, isWide ? axisFoot : top - 2, right - left - 1, 3);
  }
  if (lit !== undefined) {
    const [left, right] = [xOf(scale, lit.fromMs), xOf(scale, lit.toMs)];
    context.fillStyle = colour('--lit');
    context.globalAlpha = 0.3;
    context.fillRect(left, top - 4, Math.max(4, right - left), foot - top + 8);
    context.globalAlpha = 1;
    context.fillRect(left, top - 5, Math.max(4, right - left), 3);
    context.fillRect(left, foot + 2, Math.max(4, right - left), 3);
  }
}

function drawEvents(
  context: CanvasRenderingContext2D,
  scale: LaneScale,
  { foot, isWide, lineGap }: LaneLayout,
  events: readonly EventMessage[],
): void {
  // The newest get their words first.
  const starts = [Infinity, Infinity, Infinity];
  const size = isWide ? 6 : 5;
  for (const { label, onset } of [...events].reverse()) {
    const x = xOf(scale, Date.parse(onset));
    if (x < -200) continue;
    context.fillStyle = labelInk(label);
    context.beginPath();
    context.moveTo(x, foot - size);
    context.lineTo(x + size, foot);
    context.lineTo(x, foot + size);
    context.lineTo(x - size, foot);
    context.fill();
    context.strokeStyle = colour('--panel');
    context.lineWidth = 1;
    context.stroke();
    if (!isWide) continue;
    const wide = context.measureText(label).width;
    const row = rowFor(starts, x - 2, x + wide + 12);
    if (row === undefined) continue;
    const y = foot + 18 + row * (lineGap - 2);
    context.fillStyle = labelInk(label);
    context.fillRect(x - 0.5, foot + size, 1, y - foot - size + 5);
    context.fillStyle = colour('--text');
    context.textAlign = 'left';
    context.fillText(label, x + 5, y);
  }
}

function drawNow(
  context: CanvasRenderingContext2D,
  { nowPx }: LaneScale,
  { isWide, foot }: LaneLayout,
): void {
  context.fillStyle = colour('--future');
  context.fillRect(nowPx - 1, isWide ? axisFoot : 0, 2, foot + 6 - (isWide ? axisFoot : 0));
  context.beginPath();
  const tip = isWide ? axisFoot : 0;
  context.moveTo(nowPx - 5, tip);
  context.lineTo(nowPx + 5, tip);
  context.lineTo(nowPx, tip + 7);
  context.fill();
  if (!isWide) return;
  context.textAlign = 'center';
  context.fillText('now', nowPx, axisY);
}

/** The chances of the forecast that holds now, each beside its band, likeliest events lowest. */
function drawAnswers(
  context: CanvasRenderingContext2D,
  { nowPx, widthPx }: LaneScale,
  { top, foot, lineGap, isWide, font }: LaneLayout,
  { bands, isCalibrated }: Column,
): void {
  const tall = foot - top;
  const likeliest = bands
    .filter(({ kind }) => kind !== 'else')
    .reduce((best, band) => (band.chance > best.chance ? band : best));
  const named = isWide
    ? bands
    : bands
        .toSorted((a, b) => b.chance - a.chance)
        .slice(0, 3)
        .sort((a, b) => a.from - b.from);
  const centres = named.map(({ from, to }) => foot - ((from + to) / 2) * tall).reverse();
  const ys = spread(centres, lineGap, top + lineGap / 2 - 2, foot - lineGap / 2);
  context.textAlign = 'left';
  [...named].reverse().forEach((band, index) => {
    const y = ys[index]!;
    const isLikeliest = band === likeliest;
    context.fillStyle = band.kind === 'nothing' ? colour('--quiet') : inkOf(band);
    if (band.kind === 'nothing') context.fillRect(nowPx + 6, y - 0.5, 6, 1.5);
    else context.fillRect(nowPx + 6, y - 4, 6, 8);
    context.font = isLikeliest ? `600 ${font}` : font;
    context.fillStyle = colour(band.kind === 'event' || isLikeliest ? '--text' : '--soft');
    const chance = `${isCalibrated ? '' : '≈ '}${percent(band.chance)}`;
    const text = `${chance}  ${band.label}`;
    context.fillText(fitted(context, text, widthPx - nowPx - 20), nowPx + 17, y);
  });
  context.font = font;
}

function drawNote(
  context: CanvasRenderingContext2D,
  { nowPx, widthPx }: LaneScale,
  { top, foot }: LaneLayout,
  note: string,
): void {
  context.fillStyle = colour('--quiet');
  context.textAlign = 'left';
  context.fillText(note, nowPx + 10, (top + foot) / 2, widthPx - nowPx - 14);
}

const fits = new Map<string, string>();
const fitsMax = 500;

/** Cut where it is too long, with a sign that it was. */
function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font} ${Math.round(width)} ${text}`;
  const known = fits.get(key);
  if (known !== undefined) return known;
  let cut = text;
  while (cut.length > 1 && context.measureText(cut).width > width) {
    cut = `${cut.slice(0, cut.endsWith('…') ? -2 : -1).trimEnd()}…`;
  }
  if (fits.size >= fitsMax) fits.clear();
  fits.set(key, cut);
  return cut;
}
