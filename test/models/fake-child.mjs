// A model process that behaves as it is told: `--bundle` holds the orders as JSON instead of a folder.
// It answers every request with an empty scene, or as `header.camera` says.
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { encodeMessage, MessageDecoder, protocolVersion } from '../../dist/models/wire.js';

const { values } = parseArgs({
  options: {
    socket: { type: 'string' },
    bundle: { type: 'string' },
    threads: { type: 'string' },
    device: { type: 'string' },
  },
});
const orders = JSON.parse(values.bundle);
if (orders.exitAtOnce) {
  process.stderr.write('no disk\n');
  process.exit(3);
}
const socket = connect(values.socket);
socket.on('error', () => process.exit(0));
socket.on('close', () => process.exit(0));
const decoder = new MessageDecoder();
const hello = { kind: 'hello', protocol: protocolVersion, bundleSha256: 'abc', role: 'perceiver' };
if (orders.fatal) socket.write(encodeMessage({ kind: 'error', id: null, ...orders.fatal }));
else if (!orders.silent) socket.write(encodeMessage({ ...hello, ...orders.hello }));

// `stagesMs` tells how many requests came together.
const scene = (id, batch = 1) =>
  encodeMessage({
    kind: 'scene',
    id,
    objects: [],
    events: [],
    faintEvents: [],
    place: {},
    familiarity: 1,
    stagesMs: { batch },
  });
let batch = [];
socket.on('data', (chunk) => {
  for (const { header } of decoder.push(chunk)) {
    if (header.kind === 'bye') socket.end();
    else batch.push(header);
    if (header.more !== false) continue;
    for (const one of batch) answer(one, batch.length);
    batch = [];
  }
});

function answer({ id, camera }, size) {
  if (camera === 'die') process.exit(1);
  if (camera === 'hang') for (;;);
  if (camera === 'garbage') socket.write('what is a header, really?');
  else if (camera === 'wrongKind') socket.write(encodeMessage({ ...hello }));
  else if (camera === 'wrongId') socket.write(scene(id + 1000));
  else if (camera === 'fail') {
    const error = { code: 'model_failed', message: 'NaN', remedy: 'none' };
    socket.write(encodeMessage({ kind: 'error', id, ...error }));
  } else {
    const until = Date.now() + (camera === 'busy' ? 400 : camera.startsWith('slow') ? 100 : 0);
    while (Date.now() < until);
    socket.write(scene(id, size));
  }
}
