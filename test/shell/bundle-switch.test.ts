/** A running engine goes over to another bundle and back, over real NATS, with real children. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { expect, it, onTestFinished, vi } from 'vitest';
import { bundleUseCommand } from '../../src/commands/bundle-use.js';
import type { Forecast, Heartbeat, Outcome } from '../../src/messages.js';
import { yardDir } from '../models/yard-bundle.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

function copyOf(dir: string, name: string, version: string): string {
  const copy = join(dir, name);
  cpSync(yardDir, copy, { recursive: true, filter: (path) => !path.includes('golden') });
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...manifest, version }));
  return copy;
}

/** Process ids whose command line names a model process of the engine. */
function modelProcesses(parent: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        const of = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const isModel = /(perceiver|reasoner)-process/.test(
          readFileSync(`/proc/${entry}/cmdline`, 'utf8'),
        );
        return of === parent && isModel ? [Number(entry)] : [];
      } catch {
        return [];
      }
    });
}

it(
  'a running engine goes over to another bundle and back; what cannot be opened changes nothing',
  { timeout: 240_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lookahead-switch-'));
    const newer = copyOf(dir, 'newer', '9.9.9');
    const broken = copyOf(dir, 'broken', '9.9.8');
    writeFileSync(join(broken, 'reasoner.onnx'), 'nothing');
    const config = join(dir, 'lookahead.yaml');
    writeFileSync(
      config,
      `yardCameras: 1\nmodels:\n  switchable: [${newer}, ${broken}]\nnats:\n  port: 0\n  storeDir: ${join(dir, 'nats')}\nhttp:\n  port: 0\n`,
    );
    const child = spawn(process.execPath, [main, 'start', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(child, 'close');
    onTestFinished(async () => {
      child.kill('SIGINT');
      await Promise.race([ended, new Promise((done) => setTimeout(done, 10_000))]);
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    });
    const until = (isTrue: () => unknown): Promise<void> =>
      vi.waitFor(() => expect(isTrue(), said).toBeTruthy(), { timeout: 90_000, interval: 100 });
    await until(() => said.includes('cameras yard-1'));
    const url = /^NATS +(\S+)/m.exec(said)?.[1] ?? '';
    const nc = await connect({ servers: url });
    onTestFinished(() => nc.close());
    const heard: (Forecast | Outcome | Heartbeat)[] = [];
    for (const what of ['yard-1.forecast', 'yard-1.outcome', 'heartbeat'])
      nc.subscribe(`lookahead.v1.home.${what}`, {
        callback: (_error, message) => heard.push(message.json<Forecast>()),
      });
    const versions = (): string[] =>
      heard.flatMap((one) => (one.schema === 'lookahead.forecast.v1' ? [one.bundle.version] : []));
    const command = async (...args: string[]): Promise<string> => {
      let text = '';
      const out = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          text += chunk.toString();
          done();
        },
      });
      await bundleUseCommand([...args, '--nats', url], { out, env: {}, cwd: dir });
      return text;
    };

    await until(() => versions().length > 0);
    const [own = ''] = versions();
    const before = modelProcesses(child.pid!);
    expect(before).toHaveLength(2);
    expect(await command('show')).toContain(`yard ${own}`);

    await expect(command('use', broken)).rejects.toThrow(/reasoner\.onnx/);
    await expect(command('use', '/etc')).rejects.toThrow(
      'neither a name below bundles/ nor allowed',
    );
    await expect(command('use', '--back')).rejects.toThrow('There was no bundle before this one');
    expect(modelProcesses(child.pid!), 'nothing has changed').toEqual(before);

    const both = await Promise.allSettled([command('use', newer), command('use', newer)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const after = modelProcesses(child.pid!);
    expect(after).toHaveLength(2);
    expect(
      after.filter((pid) => before.includes(pid)),
      'the old children are gone',
    ).toEqual([]);
    const count = versions().length;
    await until(() => versions().length >= count + 2);
    expect(new Set(versions().slice(count))).toEqual(new Set(['9.9.9']));
    await until(() =>
      heard.some(
        (one) => one.schema === 'lookahead.heartbeat.v1' && one.bundle.version === '9.9.9',
      ),
    );

    expect(await command('use', '--back')).toContain(`yard ${own}`);
    await until(() => versions().at(-1) === own);
    const order = versions().filter((version, at, all) => version !== all[at - 1]);
    expect(order, 'no forecast bears the name of another bundle').toEqual([own, '9.9.9', own]);

    // Every forecast of a bundle that is no longer in use has its outcome.
    const next = heard.filter(
      (one): one is Forecast =>
        one.schema === 'lookahead.forecast.v1' && one.rev === 0 && one.bundle.version === '9.9.9',
    );
    const outcomes = (): Set<string> =>
      new Set(heard.flatMap((one) => (one.schema === 'lookahead.outcome.v1' ? [one.id] : [])));
    await until(() => next.every(({ id }) => outcomes().has(id)));
  },
);
