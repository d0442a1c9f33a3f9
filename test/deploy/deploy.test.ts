/** What stands in deploy/ and no program of ours reads: by the linters of its own kind, and against what it names. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigSchema, overrides, type Config } from '../../src/config.js';
import { loadConfig } from '../../src/load-config.js';
import { optionalTool } from '../shell/optional-tool.js';
import { environmentOf, readDockerfile } from './dockerfile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const deploy = join(root, 'deploy');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'lookahead-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defaults = ConfigSchema.parse({});

const hadolint = optionalTool('hadolint');
describe.skipIf(hadolint === undefined)('hadolint', () => {
  it.each(['Dockerfile', 'Dockerfile.cuda'])('has nothing to say of %s', (file) => {
    const { status, stdout } = spawnSync(hadolint ?? '', [join(deploy, file)], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  });
});

const ServiceSchema = z.object({
  image: z.string().regex(/:[\w.-]*\d/, 'must name a version'),
  command: z.array(z.string()).optional(),
  restart: z.literal('unless-stopped'),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.array(z.string()).refine((all) => all.includes('no-new-privileges:true')),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:/, 'must be on loopback')),
  stop_grace_period: z.string().optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  deploy: z.object({
    resources: z.object({
      limits: z.object({ cpus: z.string(), memory: z.string(), pids: z.int() }),
    }),
  }),
});
const compose = z
  .object({
    services: z.record(z.string(), ServiceSchema),
    volumes: z.record(z.string(), z.null()),
    secrets: z.record(z.string(), z.object({ file: z.string() })),
  })
  .parse(parse(read('deploy/compose.yaml'), { merge: true }));
const services = Object.entries(compose.services);
const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/\$\{?(LOOKAHEAD_[A-Z_]+)/g)].map(([, name]) => name ?? '')),
];

describe('compose.yaml', () => {
  it('passes its linter, but for the order of keys', () => {
    // Ours is: what a service is made of, what it is told, what it may touch, what it may use.
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        ...[join(root, 'node_modules/dclint/bin/dclint.cjs'), join(deploy, 'compose.yaml')],
        ...['--disable-rule', 'service-keys-order', '--max-warnings', '0'],
      ],
      { encoding: 'utf8' },
    );
    expect([status, stdout.trim()]).toEqual([0, '']);
  });

  it('mounts only what is in the repository, a volume or made by make-secrets.sh', () => {
    for (const [name, { volumes, secrets }] of services) {
      for (const mount of volumes) {
        const [source = '', target = '', mode] = mount.split(':');
        if (!source.startsWith('.')) {
          expect(Object.keys(compose.volumes), name).toContain(source);
          continue;
        }
        expect(existsSync(join(deploy, source)), `${name}: ${source}`).toBe(true);
        expect([target.startsWith('/'), mode], mount).toEqual([true, 'ro']);
      }
      for (const secret of secrets) expect(Object.keys(compose.secrets), name).toContain(secret);
    }
  });

  it('names configuration files that are mounted', () => {
    const named = services.flatMap(([name, { command = [], volumes }]) =>
      command
        .map((word) => /(\/etc\/\S+)$/.exec(word)?.[1])
        .filter((path) => path !== undefined)
        .map((path) => ({ name, path, volumes })),
    );
    expect(named.map(({ name }) => name)).toEqual(['engine', 'nats', 'prometheus']);
    for (const { name, path, volumes } of named) {
      const found = volumes
        .map((mount) => mount.split(':'))
        .filter(([, target = '']) => path === target || path.startsWith(`${target}/`))
        .map(([source = '', target = '']) => join(deploy, source, path.slice(target.length)));
      expect(
        found.map((file) => existsSync(file)),
        `${name}: ${path}`,
      ).toEqual([true]);
    }
  });

  it('asks every service after its health', () => {
    for (const [name, { healthcheck }] of services)
      if (name !== 'engine') expect(healthcheck?.test[0], name).toBe('CMD');
    // The engine's check is in its image.
    expect(read('deploy/Dockerfile')).toContain('HEALTHCHECK');
    expect(services.find(([name]) => name === 'engine')?.[1].healthcheck).toBeUndefined();
  });

  it('lets the engine stop in its own time', () => {
    const seconds = Number(
      /^(\d+)s$/.exec(compose.services['engine']?.stop_grace_period ?? '')?.[1],
    );
    expect(seconds * 1000).toBeGreaterThan(defaults.limits.drainMs);
  });

  it('hands over every variable that a configuration reads, and .env.example names them all', () => {
    const given = (name: string): string[] =>
      Object.keys(compose.services[name]?.environment ?? {});
    expect(given('engine')).toEqual(
      expect.arrayContaining(namesIn(read('deploy/lookahead.compose.yaml'))),
    );
    const ofNats = readdirSync(join(deploy, 'nats'))
      .filter((file) => file.endsWith('.conf') && file !== 'leaf.conf')
      .flatMap((file) => namesIn(read(`deploy/nats/${file}`)));
    expect(ofNats.length).toBeGreaterThan(3);
    expect(given('nats')).toEqual(expect.arrayContaining(ofNats));
    const example = read('deploy/.env.example');
    for (const name of namesIn(read('deploy/compose.yaml')))
      expect(example, name).toMatch(new RegExp(`^${name}=`, 'm'));
  });

  it('has Prometheus read the engine by its token, with the alerts of prometheus/', () => {
    const ScrapeSchema = z.object({
      rule_files: z.array(z.string()),
      scrape_configs: z.array(
        z.object({
          job_name: z.string(),
          authorization: z.object({ credentials_file: z.string() }).optional(),
          static_configs: z.array(z.object({ targets: z.array(z.string()) })),
        }),
      ),
    });
    const [ours, plain] = ['prometheus.compose.yml', 'prometheus/prometheus.yml'].map((file) =>
      ScrapeSchema.parse(parse(read(`deploy/${file}`))),
    );
    expect(ours?.rule_files).toEqual(plain?.rule_files);
    const [scrape] = ours?.scrape_configs ?? [];
    expect(scrape?.job_name).toBe(plain?.scrape_configs[0]?.job_name);
    expect(scrape?.static_configs[0]?.targets).toEqual([`engine:${defaults.http.port}`]);
    const { secrets, volumes } = compose.services['prometheus']!;
    expect(secrets.map((name) => `/run/secrets/${name}`)).toEqual([
      scrape?.authorization?.credentials_file,
    ]);
    for (const file of ours?.rule_files ?? [])
      expect(volumes).toContain(`./prometheus/${file}:/etc/prometheus/${file}:ro`);
  });

  it('is published where its services listen', () => {
    const ports = services.flatMap(([, service]) =>
      service.ports.map((port) => port.split(':').at(-1)),
    );
    expect(ports).toContain(String(defaults.http.port));
    const nats = read('deploy/nats/compose.conf');
    for (const port of compose.services['nats']?.ports ?? [])
      expect(nats).toMatch(new RegExp(`port: ${port.split(':').at(-1) ?? ''}$`, 'm'));
  });
});

describe('the configuration of the engine in compose.yaml', () => {
  const copy = join(folder, 'deploy');
  let config: Config;
  beforeAll(() => {
    mkdirSync(copy);
    for (const file of ['make-secrets.sh', '.env.example'])
      cpSync(join(deploy, file), join(copy, file));
    // Made by hand beforehand, for others to look into.
    mkdirSync(join(copy, 'secrets'), { mode: 0o755 });
    for (let run = 0; run < 2; run++) {
      const { status, stderr } = spawnSync(join(copy, 'make-secrets.sh'), { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });

  const environment = (): Record<string, string> =>
    Object.fromEntries(
      readFileSync(join(copy, '.env'), 'utf8')
        .split('\n')
        .filter((line) => /^\w+=/.test(line))
        .map((line) => line.split('=') as [string, string]),
    );

  it('is valid with what make-secrets.sh makes', () => {
    const text = read('deploy/lookahead.compose.yaml').replaceAll('/run/secrets/', './secrets/');
    writeFileSync(join(copy, 'lookahead.yaml'), text);
    config = loadConfig({
      ...{ file: 'lookahead.yaml', cameras: [], flags: {}, env: environment(), cwd: copy },
    });
    const { LOOKAHEAD_PIPELINE_PASSWORD, LOOKAHEAD_TOKEN } = environment();
    expect(config.nats.password).toBe(LOOKAHEAD_PIPELINE_PASSWORD);
    expect(config.http).toMatchObject({
      host: '0.0.0.0',
      password: readFileSync(join(copy, 'secrets/lookahead-password'), 'utf8').trim(),
      token: LOOKAHEAD_TOKEN,
    });
    expect(Object.keys(compose.services)).toContain(
      new URL(config.nats.servers?.[0] ?? '').hostname,
    );
  });

  it('reads secrets that compose.yaml gives the engine', () => {
    const named = [
      ...read('deploy/lookahead.compose.yaml').matchAll(/^ *passwordFile: \/run\/secrets\/(\S+)/gm),
    ];
    expect(named.map(([, name]) => name)).toEqual(compose.services['engine']?.secrets);
  });

  it('has passwords of its own, which nobody else can read', () => {
    const { LOOKAHEAD_PORT, LOOKAHEAD_CPUS, ...secrets } = environment();
    expect([LOOKAHEAD_PORT, LOOKAHEAD_CPUS]).toEqual([String(defaults.http.port), '2']);
    const values = Object.values(secrets);
    expect(values).toHaveLength(4);
    for (const value of values) expect(value).toMatch(/^x[0-9a-f]{48}$/);
    expect(new Set(values).size).toBe(values.length);
    const mode = (path: string): string => (statSync(join(copy, path)).mode & 0o777).toString(8);
    expect([mode('.env'), mode('secrets')]).toEqual(['600', '700']);
    const files = readdirSync(join(copy, 'secrets')).sort();
    expect(files.map((file) => `./secrets/${file}`)).toEqual(
      Object.values(compose.secrets)
        .map(({ file }) => file)
        .sort(),
    );
    const token = readFileSync(join(copy, 'secrets/lookahead-token'), 'utf8');
    expect(token.trim()).toBe(secrets['LOOKAHEAD_TOKEN']);
    const ignored = read('.gitignore').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['/deploy/.env', '/deploy/secrets/']));
  });
});

const units = ['lookahead.service', 'lookahead-nats.service'];
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
describe('the units of systemd', () => {
  const textOf = (unit: string): string => read(`deploy/systemd/${unit}`);
  const valuesOf = (unit: string, key: string): string[] =>
    [...textOf(unit).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

  it.each(units)('%s names only files that the repository has', (unit) => {
    const named = [...textOf(unit).matchAll(/\/opt\/lookahead\/([\w./-]+)/g)];
    expect(named.length).toBeGreaterThan(1);
    for (const [, path = ''] of named) expect(existsSync(join(root, path)), path).toBe(true);
  });

  it('give the engine the time that it needs', () => {
    const seconds = (key: string): number => Number(valuesOf('lookahead.service', key)[0]);
    expect(seconds('TimeoutStopSec') * 1000).toBeGreaterThan(defaults.limits.drainMs);
    expect(seconds('WatchdogSec') * 1000).toBeGreaterThan(2 * defaults.limits.drainMs);
    expect(valuesOf('lookahead.service', 'Type')).toEqual(['notify']);
    // The word comes from systemd-notify, which is not the main process.
    expect(valuesOf('lookahead.service', 'NotifyAccess')).toEqual(['all']);
  });

  it('let Node compile while it runs', () => {
    expect(valuesOf('lookahead.service', 'MemoryDenyWriteExecute')).toEqual([]);
    expect(valuesOf('lookahead.service', 'RestrictAddressFamilies')[0]).toContain('AF_UNIX');
  });

  it('write where systemd has made a folder', () => {
    for (const unit of units) {
      const [state] = valuesOf(unit, 'StateDirectory');
      expect(textOf(unit)).toMatch(new RegExp(`^Environment=.*=%S/${state ?? ''}$`, 'm'));
    }
  });

  it.skipIf(!hasAnalyze).each(units)('%s is understood by systemd, and locked up', (unit) => {
    const path = join(folder, unit);
    // Here the program lies elsewhere than where it is installed; nats-server may be no system's program.
    const text = textOf(unit)
      .replaceAll('/opt/lookahead', root.replace(/\/$/, ''))
      .replace('ExecStart=nats-server', 'ExecStart=/bin/sh');
    writeFileSync(path, text);
    const verify = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    const ours = verify.stderr.split('\n').filter((line) => line.includes(folder));
    expect([verify.status, ours]).toEqual([0, []]);
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], {
      encoding: 'utf8',
    });
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    process.stdout.write(`exposure of ${unit}: ${exposure} of 10\n`);
    expect(exposure).toBeLessThan(2.5);
  });
});

it('README.md names only what there is', () => {
  const text = read('deploy/README.md');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link ?? '');
  const files = [...text.matchAll(/deploy\/[\w./-]+\w/g)].map(([file]) => join('..', file));
  for (const path of [...links, ...files]) {
    if (!path.includes('*')) expect(existsSync(join(deploy, path)), path).toBe(true);
  }
});

it('every variable of LOOKAHEAD that is set in deploy/ is read by something', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join('src', path)));
  const nats = readdirSync(join(deploy, 'nats')).filter((file) => file.endsWith('.conf'));
  const readers = [
    ...sources,
    ...nats.map((file) => read(join('deploy/nats', file))),
    read('deploy/lookahead.compose.yaml'),
    read('deploy/healthcheck.mjs'),
    // Of compose itself.
    ...services.map(
      ([
        ,
        {
          ports,
          deploy: { resources },
        },
      ]) => [...ports, resources.limits.cpus].join(),
    ),
    overrides.map(({ env }) => env).join(),
  ].join('\n');
  const set = [
    ...['deploy/Dockerfile', 'deploy/Dockerfile.cuda'].flatMap((file) =>
      Object.keys(environmentOf(readDockerfile(join(root, file)).at(-1)!)),
    ),
    ...services.flatMap(([, { environment }]) => Object.keys(environment)),
    ...[...read('deploy/.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? ''),
    ...[...read('deploy/systemd/lookahead.env.example').matchAll(/^#?(LOOKAHEAD\w+)=/gm)].map(
      ([, name]) => name ?? '',
    ),
    ...units.flatMap((unit) =>
      [...read(`deploy/systemd/${unit}`).matchAll(/(LOOKAHEAD_\w+)=/g)].map(
        ([, name]) => name ?? '',
      ),
    ),
  ].filter((name) => name.startsWith('LOOKAHEAD_'));
  expect(new Set(set).size).toBeGreaterThan(8);
  for (const name of set) expect(readers, name).toContain(name);
});
