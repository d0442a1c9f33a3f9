/* global document, setTimeout */
/** The bars: each keeps its row of the list while it moves, so that the eye can follow it. */
import { colourOf } from '/colours.js';

const fadeMs = 300;
const rows = new Map();

function rowFor(text) {
  const known = rows.get(text);
  if (known !== undefined) return known;
  const item = document.createElement('li');
  const part = (name, parent) => {
    const element = document.createElement(name === 'track' || name === 'fill' ? 'div' : 'span');
    element.className = name;
    parent.append(element);
    return element;
  };
  const row = { item, text: part('text', item), share: part('share', item) };
  row.track = part('track', item);
  row.fill = part('fill', row.track);
  row.text.textContent = text;
  rows.set(text, row);
  return row;
}

export function showBars(list, bars) {
  const likeliest = Math.max(...bars.map(({ chance }) => chance));
  for (const [text, { item }] of rows) {
    if (bars.some((bar) => bar.text === text)) continue;
    rows.delete(text);
    item.classList.add('fading');
    setTimeout(() => item.remove(), fadeMs);
  }
  bars.forEach(({ text, actor, chance }, index) => {
    const { item, share, fill } = rowFor(text);
    share.textContent = percent(chance);
    item.classList.toggle('likeliest', chance === likeliest);
    item.style.setProperty('--at', String(index));
    item.style.setProperty('--colour', colourOf(actor));
    fill.style.setProperty('--share', String(chance));
    if (item.parentElement !== list) list.append(item);
  });
}

export function clearBars(list) {
  rows.clear();
  list.replaceChildren();
}

export function percent(chance) {
  if (chance > 0 && chance < 0.01) return '< 1 %';
  if (chance < 1 && chance > 0.99) return '> 99 %';
  return `${Math.round(chance * 100)} %`;
}
