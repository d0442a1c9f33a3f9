/** A real nats-server with a configuration of deploy/nats: the shipped files, on free ports of loopback. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { natsServerPath } from './nats-server.js';

export const deployNats = fileURLToPath(new URL('../../deploy/nats', import.meta.url));

/** Files that a server is started with. */
export const variants = ['nats-server', 'one-machine', 'compose'] as const;
export type Variant = (typeof variants)[number];

export const passwords = {
  pipeline: 'engine-of-the-test',
  robot: 'robot-of-the-test',
  dashboard: 'dashboard-of-the-test',
} as const;

export interface ShippedNats {
  readonly url: string;
  readonly websocketUrl: string;
  readonly mqttUrl: string;
  readonly monitoringUrl: string;
  /** Of a variant with TLS. */
  readonly caFile: string;
  log(): string;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** A copy of the folder, without certificates that somebody made there. Its roles are for the site "test". */
export function copyOfDeploy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-deploy-nats-'));
  cpSync(deployNats, folder, {
    recursive: true,
    filter: (path) => !path.endsWith('/certificates'),
  });
  const roles = join(folder, 'roles.conf');
  const { stdout } = spawnSync('sed', [renamingOf('test'), roles], { encoding: 'utf8' });
  writeFileSync(roles, stdout);
  return folder;
}

/** The sed script that README.md gives, for another site than its "porch". */
export function renamingOf(site: string): string {
  const readme = readFileSync(join(deployNats, 'README.md'), 'utf8');
  const [, script] = /sed -i '([^']+)' roles\.conf/.exec(readme)!;
  return script!.replaceAll('porch', site);
}

/** What a server needs of its environment. */
export function environmentFor(folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    LOOKAHEAD_NATS_STORE: join(folder, 'store'),
    LOOKAHEAD_PIPELINE_PASSWORD: passwords.pipeline,
    LOOKAHEAD_ROBOT_PASSWORD: passwords.robot,
    LOOKAHEAD_DASHBOARD_PASSWORD: passwords.dashboard,
    LOOKAHEAD_CENTRE_URL: 'tls://site:secret@127.0.0.1:7422',
  };
}

/** The caller must `remove()` it. */
export async function startShippedNats(variant: Variant): Promise<ShippedNats> {
  const folder = copyOfDeploy();
  const ports = await freePorts(4);
  const [client, websocket, mqtt, monitoring] = ports.map(String) as [
    string,
    string,
    string,
    string,
  ];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.conf'))) {
    const text = readFileSync(join(folder, file), 'utf8')
      .replaceAll('"0.0.0.0"', '"127.0.0.1"')
      .replace(/^port: \d+/m, `port: ${client}`)
      .replace(/^( {2}port: )(8443|8080)/m, `$1${websocket}`)
      .replace(/^( {2}port: )(8883|1883)/m, `$1${mqtt}`)
      .replace('127.0.0.1:8222', `127.0.0.1:${monitoring}`);
    writeFileSync(join(folder, file), text);
  }
  const tls = variant === 'nats-server';
  if (tls) {
    const { status, stderr } = spawnSync(
      join(folder, 'make-certificates.sh'),
      ['localhost', '127.0.0.1'],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
  }
  const child = spawn(natsServerPath(), ['-c', `${variant}.conf`], {
    cwd: folder,
    env: environmentFor(folder),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-64_000)));
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  const exited = once(child, 'exit');
  const remove = async (): Promise<void> => {
    kill();
    await exited;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let waitedMs = 0; !log.includes('Server is ready'); waitedMs += 20) {
    if (child.exitCode !== null || waitedMs > 30_000) {
      await remove();
      throw new Error(`nats-server did not start:\n${log}`);
    }
    await delay(20);
  }
  return {
    url: `${tls ? 'tls' : 'nats'}://127.0.0.1:${client}`,
    websocketUrl: `${tls ? 'wss' : 'ws'}://127.0.0.1:${websocket}`,
    mqttUrl: `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${mqtt}`,
    monitoringUrl: `http://127.0.0.1:${monitoring}`,
    caFile: join(folder, 'certificates/ca.pem'),
    log: () => log,
    remove,
  };
}

/** That differ: all are held before any is let go. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
