/** The live page: each camera's picture on request, its three most probable answers, and what came of the last ones. */
const outcomesShown = 6;
const cards = new Map();

/** Text from models and cameras goes in as text, never as markup. */
function setText(element, text) {
  element.textContent = text;
}

function card(camera) {
  const known = cards.get(camera);
  if (known !== undefined) return known;
  const section = document.getElementById('camera').content.firstElementChild.cloneNode(true);
  const part = (selector) => section.querySelector(selector);
  setText(part('.name'), camera);
  const made = {
    state: part('.state'),
    bars: part('.bars'),
    basis: part('.basis'),
    why: part('.why'),
    note: part('.note'),
    shown: undefined,
    outcomes: part('.outcomes'),
    stale: undefined,
  };
  part('button').addEventListener('click', () => showPicture(camera, part('.picture')));
  document.getElementById('cameras').append(section);
  cards.set(camera, made);
  return made;
}

async function showPicture(camera, place) {
  const { default: JSMpeg } = await import('/jsmpeg.js');
  const canvas = document.createElement('canvas');
  place.replaceChildren(canvas);
  const url = `ws://${location.host}/picture?camera=${encodeURIComponent(camera)}`;
  new JSMpeg.Player(url, {
    canvas,
    audio: false,
    disableWebAssembly: true,
    pauseWhenHidden: false,
  });
}

/** A revision has the chances of its forecast, which are on the page, and the reasons. */
function showForecast(forecast) {
  const known = card(forecast.camera);
  setText(known.why, whyOf(forecast));
  if (forecast.rev > 0 && known.shown === forecast.id) return;
  known.shown = forecast.id;
  showChances(forecast);
}

function whyOf({ explanation, events }) {
  const steps = explanation.map(({ text, verified }) => said(text, verified));
  const given = events.find(({ justification }) => justification !== '');
  if (steps.length === 0 && given !== undefined)
    steps.push(`${given.label}, ${said(given.justification, given.justificationVerified)}`);
  return steps.length === 0 ? '' : `Why: ${steps.join('; ')}`;
}

function said(text, isVerified) {
  const tidy = text.replace(/\s+([,.;:!?])/g, '$1').replace(/\.\s*$/, '');
  return isVerified ? tidy : `${tidy} (unverified)`;
}

function showChances(forecast) {
  const { bars, basis, note, stale } = card(forecast.camera);
  setText(
    basis,
    forecast.basis === 'carried' ? 'Carried: nothing has changed since it was last reasoned.' : '',
  );
  const answers = forecast.events.map(({ label, confidence }) => ({ label, confidence }));
  answers.push({ label: 'nothing', confidence: forecast.nothing });
  answers.sort((a, b) => b.confidence - a.confidence);
  bars.classList.remove('stale');
  bars.replaceChildren(...answers.slice(0, 3).map(bar));
  setText(note, doubtOf(forecast));
  // A forecast says nothing once its horizon has passed; without a newer one the bars must not look alive.
  clearTimeout(stale);
  card(forecast.camera).stale = setTimeout(
    () => bars.classList.add('stale'),
    Math.max(0, Date.parse(forecast.validUntil) - Date.now()),
  );
}

function doubtOf({ calibrated, quality }) {
  if (calibrated) return '';
  return quality === 'corrupt'
    ? 'The picture is frozen or flat: these chances are not calibrated.'
    : 'Unlike anything the bundle was trained on: these chances are not calibrated.';
}

function bar({ label, confidence }) {
  const row = document.createElement('div');
  const name = document.createElement('span');
  const progress = document.createElement('progress');
  const number = document.createElement('span');
  setText(name, label);
  progress.value = confidence;
  setText(number, `${Math.round(confidence * 100)} %`);
  row.append(name, progress, number);
  return row;
}

function showOutcome(outcome) {
  if (outcome.verdict === 'undecidable') return;
  const { outcomes } = card(outcome.camera);
  const isHit = outcome.verdict === 'hit';
  const line = document.createElement('li');
  line.className = isHit ? 'hit' : 'wrong';
  const after =
    outcome.onsetAfterMs === null ? '' : ` after ${(outcome.onsetAfterMs / 1000).toFixed(1)} s`;
  setText(
    line,
    isHit
      ? `✓ ${outcome.observed}${after}`
      : `✗ ${outcome.observed}${after}, not ${outcome.predicted}`,
  );
  outcomes.prepend(line);
  while (outcomes.children.length > outcomesShown) outcomes.lastElementChild.remove();
}

function showState({ camera, state, why }) {
  setText(card(camera).state, state === 'online' ? 'online' : `${state}: ${why}`);
}

const link = document.getElementById('link');
const events = new EventSource('/events');
const listen = (kind, show) =>
  events.addEventListener(kind, (event) => show(JSON.parse(event.data)));
events.addEventListener('open', () => setText(link, ''));
events.addEventListener('error', () =>
  setText(link, 'The engine does not answer; what is shown may be old.'),
);
listen('cameras', (cameras) => cameras.forEach(showState));
listen('state', showState);
listen('forecast', showForecast);
listen('outcome', showOutcome);
