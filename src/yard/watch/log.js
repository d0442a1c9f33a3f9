/* global document */
/** What happened, the newest first, with the chance that it had just before. */
import { percent } from '/bars.js';
import { colourOf } from '/colours.js';

export const loggedMax = 60;

function lineOf({ atMs, text, actor, chance, isHit }, isNew) {
  const line = document.createElement('li');
  line.classList.toggle('hit', isHit);
  line.classList.toggle('new', isNew);
  const time = document.createElement('time');
  const at = new Date(atMs);
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleTimeString('en-GB');
  const what = document.createElement('span');
  what.className = 'text';
  const dot = document.createElement('i');
  dot.className = 'dot';
  dot.style.setProperty('--colour', colourOf(actor));
  what.append(dot, text);
  const was = document.createElement('span');
  was.className = 'chance';
  was.textContent = chance === null ? 'not known' : `${isHit ? '✓ ' : ''}was ${percent(chance)}`;
  line.append(time, what, was);
  return line;
}

export function showLog(list, events) {
  list.replaceChildren(...events.toReversed().map((event) => lineOf(event, false)));
}

export function addToLog(list, event) {
  list.prepend(lineOf(event, true));
  while (list.children.length > loggedMax) list.lastElementChild.remove();
}
