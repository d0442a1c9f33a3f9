/** What benches have in common: reading /proc, and writing results down with machine and date. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

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
