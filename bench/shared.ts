/** What benches have in common: clips of the yard, reading /proc, and writing results down with machine and date. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Manifest } from '../src/models/manifest.js';
import type { PerceiverInput } from '../src/models/perceiver.js';
import { YardScene } from '../src/yard/watch/yard-scene.js';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** User and system time since it began. */
  readonly cpuSeconds: number;
  /** Its arguments, joined by spaces. */
  readonly command: string;
}

/** Every process of this machine (Linux only). */
export function readProcesses(): ProcessFacts[] {
  const ticksPerSecond = 100;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [
          {
            pid: Number(name),
            parent: Number(fields[1]),
            cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
            command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
          },
        ];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}

/** Those of `processes` that the given ones are or have started. */
export function treeOf(
  pids: readonly number[],
  processes: readonly ProcessFacts[],
): ProcessFacts[] {
  const tree = new Set(pids);
  for (let size = -1; size !== tree.size;) {
    size = tree.size;
    for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid);
  }
  return processes.filter(({ pid }) => tree.has(pid));
}

/** Puts a result into `docs/performance.md`, in place of the same bench's last one, under its command, date and machine. */
export function writeResult(name: string, command: string, body: readonly string[]): void {
  const path = `${root}/docs/performance.md`;
  const [from, to] = [`<!-- bench ${name} -->`, `<!-- end of bench ${name} -->`];
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${String(cpus().length)} cores`;
  const date = new Date().toISOString().slice(0, 10);
  const head = `\`${command}\`, ${date}, ${machine}, Node ${process.versions.node}.`;
  const block = [from, '', head, '', ...body, '', to].join('\n');
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Performance\n';
  const [start, end] = [old.indexOf(from), old.indexOf(to)];
  writeFileSync(
    path,
    start < 0
      ? `${old.trimEnd()}\n\n${block}\n`
      : old.slice(0, start) + block + old.slice(end + to.length),
  );
}

/** A camera of the yard, clip by clip: its pictures at half their size and half their rate, letterboxed. */
export class ClipFilm {
  readonly #film: YardScene;
  readonly #manifest: Manifest;
  readonly #picture: PerceiverInput['picture'];

  constructor(manifest: Manifest, seed: number, scene: number) {
    this.#film = YardScene.open('test', seed, scene);
    this.#manifest = manifest;
    const { widthPx, heightPx } = manifest.preprocessing;
    const height = this.#film.heightPx / 2;
    this.#picture = { x: 0, y: (heightPx - height) / 2, width: widthPx, height };
  }

  next(camera: string, clip: number): PerceiverInput {
    const { geometry, preprocessing } = this.#manifest;
    const frameBytes = preprocessing.widthPx * preprocessing.heightPx * 3;
    const pixels = new Uint8Array(geometry.framesPerClip * frameBytes);
    for (let frame = 0; frame < geometry.framesPerClip; frame++) {
      this.#drawInto(pixels.subarray(frame * frameBytes, (frame + 1) * frameBytes));
    }
    const clipMs = (geometry.framesPerClip / geometry.framesPerSecond) * 1000;
    const fromMs = clip * clipMs;
    const toMs = fromMs + clipMs - 1000 / geometry.framesPerSecond;
    const picture = this.#picture;
    return { camera, epoch: 0, clip, fromMs, toMs, picture, trackFloor: 1, pixels };
  }

  #drawInto(frame: Uint8Array): void {
    const film = this.#film;
    const { y: top, width, height } = this.#picture;
    film.next();
    const rgba = film.next();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++) {
          const at = (2 * y * film.widthPx + 2 * x) * 4 + c;
          const below = at + film.widthPx * 4;
          const sum =
            (rgba[at] ?? 0) + (rgba[at + 4] ?? 0) + (rgba[below] ?? 0) + (rgba[below + 4] ?? 0);
          frame[((y + top) * width + x) * 3 + c] = sum / 4;
        }
      }
    }
  }
}
