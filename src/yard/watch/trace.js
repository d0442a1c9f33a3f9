/* global devicePixelRatio, getComputedStyle */
/** The chances of the last half minute as lines, and what happened as dots on them. */
import { colourOf } from '/colours.js';

const spanMs = 30_000;
/** Between two chances that are farther apart the yard was paused, or the page was away. */
const gapMs = 2500;
const linesMax = 12;
const eventsMax = 40;

export class Trace {
  chances = [];
  events = [];

  addChances(bars, atMs) {
    this.chances.push({ atMs, bars });
    while (this.chances.length > 0 && this.chances[0].atMs < atMs - spanMs - gapMs)
      this.chances.shift();
  }

  addEvent(event) {
    this.events.push(event);
    while (this.events.length > eventsMax) this.events.shift();
  }

  draw(canvas, nowMs) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const plot = { left: 42, right: width - 8, top: 8, bottom: height - 20 };
    const x = (atMs) => plot.right - ((nowMs - atMs) / spanMs) * (plot.right - plot.left);
    const y = (chance) => plot.bottom - chance * (plot.bottom - plot.top);
    drawGrid(context, style, plot, y);
    context.save();
    context.beginPath();
    context.rect(plot.left, 0, plot.right - plot.left + 6, height);
    context.clip();
    for (const text of this.likeliest()) this.drawLine(context, text, x, y);
    for (const event of this.events) drawEvent(context, style, event, x, y, plot);
    context.restore();
  }

  /** The labels that were likeliest at some moment, the highest first. */
  likeliest() {
    const peaks = new Map();
    for (const { bars } of this.chances)
      for (const { text, actor, chance } of bars)
        if (actor !== null) peaks.set(text, Math.max(chance, peaks.get(text) ?? 0));
    const sorted = [...peaks].sort(([, a], [, b]) => b - a);
    return sorted.slice(0, linesMax).flatMap(([text, peak]) => (peak > 0.12 ? [text] : []));
  }

  drawLine(context, text, x, y) {
    context.beginPath();
    let lastMs = -Infinity;
    let last = 0;
    let actor = null;
    for (const { atMs, bars } of this.chances) {
      const bar = bars.find((it) => it.text === text);
      if (bar) actor = bar.actor;
      const chance = bar?.chance ?? 0;
      // Along the bottom lines would only hide each other.
      if (atMs - lastMs > gapMs || chance + last === 0) context.moveTo(x(atMs), y(chance));
      else context.lineTo(x(atMs), y(chance));
      lastMs = atMs;
      last = chance;
    }
    context.strokeStyle = colourOf(actor);
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.stroke();
  }
}

function drawGrid(context, style, { left, right, bottom }, y) {
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = style.getPropertyValue('--faint');
  context.strokeStyle = style.getPropertyValue('--line');
  context.textAlign = 'right';
  for (const chance of [0, 0.5, 1]) {
    context.fillText(`${chance * 100} %`, left - 6, y(chance) + 4);
    context.beginPath();
    context.moveTo(left, y(chance));
    context.lineTo(right, y(chance));
    context.stroke();
  }
  context.fillText('now', right, bottom + 15);
  context.textAlign = 'left';
  context.fillText('30 s ago', left, bottom + 15);
}

function drawEvent(context, style, { atMs, chance, actor }, x, y, { top, bottom }) {
  const colour = colourOf(actor);
  context.strokeStyle = colour;
  context.globalAlpha = 0.35;
  context.beginPath();
  context.moveTo(x(atMs), top);
  context.lineTo(x(atMs), bottom);
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = 1;
  // Of one whose chance is not known no dot could tell where it lay.
  if (chance === null) return;
  context.beginPath();
  context.arc(x(atMs), y(chance), 4.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = style.getPropertyValue('--card');
  context.lineWidth = 1.5;
  context.stroke();
}
