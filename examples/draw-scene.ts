/** Draws what the engine sees: after each scene one SVG file with masks, boxes, tracks, speeds and the latest event. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, type Msg } from 'nats';

interface Thing {
  track: number;
  class: string;
  box: { x: number; y: number; width: number; height: number };
  velocity: { x: number; y: number };
  mask: { size: [rows: number, columns: number]; counts: number[] };
}

const [server = 'nats://127.0.0.1:4222', site = 'home', camera = 'yard-1', ...files] =
  process.argv.slice(2);
const [file = 'scene.svg', background] = files;
/** The picture is 16:9; all shares of it are multiplied by these. */
const [width, height] = [960, 540];

/** COCO's run lengths go down each column: first what is not in the mask, then what is, and so on. */
function runs({ size: [rows, columns], counts }: Thing['mask']): string {
  const [cellWidth, cellHeight] = [width / columns, height / rows];
  let path = '';
  let at = 0;
  counts.forEach((count, index) => {
    const end = at + count;
    // A run may go on at the top of the next column: one rectangle for each column that it is in.
    for (let from = at; index % 2 === 1 && from < end;) {
      const column = Math.floor(from / rows);
      const to = Math.min(end, (column + 1) * rows);
      const [x, y] = [column * cellWidth, (from % rows) * cellHeight];
      path += `M${x.toFixed(1)} ${y.toFixed(1)}h${cellWidth.toFixed(1)}v${((to - from) * cellHeight).toFixed(1)}h${(-cellWidth).toFixed(1)}z`;
      from = to;
    }
    at = end;
  });
  return path;
}

/** What comes over a network is text, never markup. */
const text = (value: unknown): string =>
  String(value).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

function draw({ track, class: name, box, velocity, mask }: Thing): string {
  // Neighbouring numbers get colours far apart.
  const colour = `hsl(${(track * 137.5) % 360} 90% 60%)`;
  const [x, y, w, h] = [box.x * width, box.y * height, box.width * width, box.height * height];
  const [cx, cy] = [x + w / 2, y + h / 2];
  // Where it will be in a second; what stands still gets no arrow.
  const [dx, dy] = [velocity.x * width, velocity.y * height];
  const arrow = `<path d="M${cx} ${cy}l${dx} ${dy}" stroke="${colour}" stroke-width="3" marker-end="url(#tip)"/>`;
  return `<path d="${runs(mask)}" fill="${colour}" fill-opacity=".45"/>
<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${colour}" stroke-width="2"/>
${Math.hypot(dx, dy) < 8 ? '' : arrow}
<text x="${x}" y="${Math.max(14, y - 4)}" fill="${colour}">${text(name)} ${text(track)}</text>`;
}

async function backgroundOf(place: string): Promise<string> {
  const bytes = /^https?:/.test(place)
    ? Buffer.from(await (await fetch(place)).arrayBuffer())
    : readFileSync(place);
  const kind = bytes[0] === 0x89 ? 'png' : 'jpeg';
  return `<image width="${width}" height="${height}" href="data:image/${kind};base64,${bytes.toString('base64')}"/>`;
}

const behind = background === undefined ? '' : await backgroundOf(background);
let caption = '';
const nc = await connect({ servers: server, maxReconnectAttempts: -1, waitOnFirstConnect: true });
const listen = (kind: string, take: (message: Msg) => void): void => {
  const callback = (_error: Error | null, message: Msg): void => {
    try {
      take(message);
    } catch (error) {
      console.error(`${message.subject}: ${String(error)}`); // Not readable: the last drawing stays.
    }
  };
  nc.subscribe(`lookahead.v1.${site}.${camera}.${kind}`, { callback });
};
listen('event', (message) => {
  const { label, onset } = message.json<{ label: string; onset: string }>();
  caption = `${onset.slice(11, 19)} ${label}`;
});
listen('scene', (message) => {
  const scene = message.json<{ to: string; objects: Thing[] }>();
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 32}" font-family="sans-serif" font-size="15">
<marker id="tip" viewBox="0 0 6 6" refX="3" refY="3" markerWidth="4" markerHeight="4" orient="auto"><path d="M0 0l6 3-6 3z" fill="context-stroke"/></marker>
<rect width="${width}" height="${height + 32}" fill="#14181d"/>${behind}
${scene.objects.map(draw).join('\n')}
<text x="8" y="${height + 21}" fill="#fff">${text(`${camera} ${scene.to.slice(11, 19)} · ${caption}`)}</text>
</svg>\n`;
  // Whoever looks at the file never sees half of it.
  writeFileSync(`${file}.part`, svg);
  renameSync(`${file}.part`, file);
  console.log(`${scene.to} ${scene.objects.length} things`);
});
