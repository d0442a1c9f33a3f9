/* global document, history, location, requestAnimationFrame, setTimeout, URLSearchParams, WebSocket */
/** The yard's page: one camera large, what may come next and what has happened; the others to pick from. */
import { clearBars, showBars } from '/bars.js';
import { addToLog, loggedMax, showLog } from '/log.js';
import { clear, drawMasks, drawPicture, newThumbnail, parsePicture } from '/picture.js';
import { Trace } from '/trace.js';

const againMs = 2000;
const traceEveryMs = 100;
const paces = [0.5, 1, 2];
const part = (id) => document.getElementById(id);

/** What is known of each camera. */
let cameras = [];
let watched = 0;
let socket;
const wish = new URLSearchParams(location.hash.slice(1));
let isMasked = wish.get('masks') === '1';

const ask = (request) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
};

function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') hear(JSON.parse(data));
    else see(data);
  });
  socket.addEventListener('open', () => {
    part('link').className = '';
    part('link').textContent = 'live';
  });
  socket.addEventListener('close', () => {
    part('link').className = 'lost';
    part('link').textContent = 'The yard does not answer; what is shown may be old.';
    setTimeout(connect, againMs);
  });
}

function hear(told) {
  if (told.kind === 'yard') return showYard(told);
  const camera = cameras[told.camera];
  const isWatched = told.camera === watched;
  switch (told.kind) {
    case 'chances':
      camera.trace.addChances(told.bars, Date.now());
      if (isWatched) showNext(told);
      break;
    case 'event':
      camera.log.push(told);
      if (camera.log.length > loggedMax) camera.log.shift();
      camera.trace.addEvent(told);
      if (isWatched) {
        addToLog(part('log'), told);
        part('none').hidden = true;
      }
      break;
    case 'pace':
      camera.pace = told.pace;
      camera.isPaused = told.isPaused;
      if (isWatched) showPace(camera);
      break;
  }
}

function see(data) {
  const { head, pixels, ids } = parsePicture(data);
  if (head.kind === 'thumbnail') drawPicture(cameras[head.camera].thumbnail, head, pixels);
  if (head.kind !== 'picture' || head.camera !== watched) return;
  drawPicture(part('picture'), head, pixels);
  if (isMasked && head.masks) drawMasks(part('masks'), head.masks, ids);
}

function showYard({ title, horizonS, cameras: facts }) {
  const name = cameras[watched]?.name ?? wish.get('camera');
  part('title').textContent = title;
  part('horizon').textContent = String(horizonS);
  cameras = facts.map((fact) => ({
    ...fact,
    ...{ log: [], trace: new Trace(), thumbnail: newThumbnail() },
    ...{ pace: 1, isPaused: false },
  }));
  part('others').replaceChildren(...cameras.map(choice));
  part('others').hidden = cameras.length < 2;
  watch(
    Math.max(
      0,
      cameras.findIndex((camera) => camera.name === name),
    ),
  );
  ask({ do: 'masks', shown: isMasked });
}

function choice(camera, index) {
  const button = document.createElement('button');
  const name = document.createElement('span');
  button.type = 'button';
  name.textContent = camera.name;
  button.append(camera.thumbnail, name);
  button.addEventListener('click', () => watch(index));
  camera.choice = button;
  return button;
}

function watch(index) {
  watched = index;
  const camera = cameras[index];
  ask({ do: 'watch', camera: index });
  cameras.forEach(({ choice }, at) => choice.setAttribute('aria-pressed', String(at === index)));
  const { offsetLeft, offsetWidth } = camera.choice;
  const strip = part('others');
  strip.scrollTo({ left: offsetLeft - strip.offsetLeft - (strip.clientWidth - offsetWidth) / 2 });
  part('name').textContent = camera.name;
  const sky = camera.rain ? `${camera.light}, rain` : camera.light;
  part('about').textContent = `${camera.template.replaceAll('+', ' + ')} · ${sky}`;
  part('address').textContent = camera.rtspUrl;
  part('own').hidden = !camera.isLive;
  showPace(camera);
  clear(part('masks'));
  clearBars(part('bars'));
  part('note').textContent = 'working it out …';
  showLog(part('log'), camera.log);
  part('none').hidden = camera.log.length > 0;
  keepWish();
}

function showNext({ bars, futures }) {
  showBars(part('bars'), bars);
  part('note').textContent =
    `pBayes: how often each came first in ${futures} futures, given all that could be seen`;
}

function showPace({ pace, isPaused }) {
  part('pause').setAttribute('aria-pressed', String(isPaused));
  part('step').disabled = !isPaused;
  part('halt').hidden = !isPaused;
  for (const button of document.querySelectorAll('[data-pace]'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.pace) === pace));
}

function showMasks(isShown) {
  isMasked = isShown;
  part('show-masks').setAttribute('aria-pressed', String(isShown));
  clear(part('masks'));
  ask({ do: 'masks', shown: isShown });
  keepWish();
}

/** The address tells what is shown, so that it can be passed on. */
function keepWish() {
  const shown = new URLSearchParams({ camera: cameras[watched]?.name ?? '' });
  if (isMasked) shown.set('masks', '1');
  history.replaceState(null, '', `#${shown}`);
}

const doing = {
  m: () => showMasks(!isMasked),
  p: () => ask({ do: 'pause', isPaused: !cameras[watched].isPaused }),
  '.': () => ask({ do: 'step' }),
  '+': () => changePace(1),
  '-': () => changePace(-1),
  ArrowRight: () => watch((watched + 1) % cameras.length),
  ArrowLeft: () => watch((watched + cameras.length - 1) % cameras.length),
};

function changePace(by) {
  const pace = paces[paces.indexOf(cameras[watched].pace) + by];
  if (pace !== undefined) ask({ do: 'pace', pace });
}

document.addEventListener('keydown', (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || cameras.length === 0) return;
  if (!Object.hasOwn(doing, key)) return;
  event.preventDefault();
  doing[key]();
});
part('show-masks').addEventListener('click', doing.m);
part('pause').addEventListener('click', doing.p);
part('step').addEventListener('click', doing['.']);
for (const button of document.querySelectorAll('[data-pace]'))
  button.addEventListener('click', () => ask({ do: 'pace', pace: Number(button.dataset.pace) }));
part('show-masks').setAttribute('aria-pressed', String(isMasked));

let tracedAtMs = 0;
/** While the yard is paused its last half minute stands still. */
function trace(nowMs) {
  const camera = cameras[watched];
  if (camera && nowMs - tracedAtMs > traceEveryMs && !camera.isPaused) {
    tracedAtMs = nowMs;
    camera.trace.draw(part('trace'), Date.now());
  }
  requestAnimationFrame(trace);
}

requestAnimationFrame(trace);
connect();
