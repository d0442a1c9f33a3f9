/** From the configuration to a receiver: who is told of what, what is counted and said, and that secrets stay secret. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { withoutSecrets } from '../../src/commands/check.js';
import { Closers } from '../../src/closers.js';
import { messageOf } from '../../src/errors.js';
import { loadConfig } from '../../src/load-config.js';
import type { Message, Notice } from '../../src/messages.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { signature } from '../../src/sinks/post.js';
import { startWebhooks } from '../../src/start-webhooks.js';
import { event, forecast } from '../support/messages.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-webhooks-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Env = Readonly<Record<string, string>>;

function load(yaml: string, env: Env = {}) {
  writeFileSync(join(folder, 'c.yaml'), yaml);
  return loadConfig({ file: 'c.yaml', cameras: [], flags: {}, env, cwd: folder });
}

function problem(yaml: string, env: Env = {}): string {
  try {
    load(yaml, env);
  } catch (error) {
    return messageOf(error);
  }
  throw new Error('nothing was wrong');
}

const hook = (more: string, url = 'https://h.example/T0KEN'): string =>
  `webhooks:\n  door:\n    url: ${url}\n    ${more}\n`;

describe('the configuration', () => {
  it('has a default for everything but the address', () => {
    expect(load(hook('')).webhooks['door']).toEqual({
      url: 'https://h.example/T0KEN',
      headers: {},
      secret: null,
      kinds: ['forecast'],
      cameras: null,
      labels: null,
      target: 'next',
      confidenceMin: 0.5,
      calibratedOnly: true,
      cooldownS: 60,
      waitForReasonMs: 0,
      timeoutMs: 5000,
      retries: 3,
      maxAgeS: 60,
      queueMax: 32,
    });
  });

  it('takes address, headers and secret from the environment', () => {
    const env = { U: 'https://h.example/T0KEN', A: 'Bearer T0KEN', S: 'T0KEN of some length' };
    const yaml = hook('headers: { Authorization: "${A}" }\n    secret: ${S}', '${U}');
    expect(load(yaml, env).webhooks['door']).toMatchObject({
      url: env.U,
      headers: { Authorization: env.A },
      secret: env.S,
    });
  });

  it.each<[string, string, Env, RegExp]>([
    ['no address', hook('', 'h.example/T0KEN'), {}, /webhooks\.door\.url: must be http/],
    ['another protocol', hook('', 'ftp://h.example/T0KEN'), {}, /url: must be http/],
    ['a login in it', hook('', 'https://u:T0KEN@h.example/'), {}, /url: must not hold a login/],
    [
      'the same from the environment',
      hook('', '${U}'),
      { U: 'ftp://T0KEN' },
      /url: .*must be http/,
    ],
    ['a variable that is not set', hook('', '${T}'), {}, /url: .*T is not set/],
    ['a short secret', hook('secret: T0KEN'), {}, /secret: must have at least 16/],
    [
      'the same from the environment',
      hook('secret: ${S}'),
      { S: 'T0KEN' },
      /must have at least 16/,
    ],
    [
      'an odd value',
      hook('headers: { Authorization: "T0KEN\\u2026" }'),
      {},
      /Authorization: must be one line/,
    ],
    [
      'the same from the environment',
      hook('headers: { X: "${X}" }'),
      { X: 'T0KEN…' },
      /headers\.X: .*must be one line/,
    ],
    ['a header of ours', hook('headers: { Content-Length: T0KEN }'), {}, /set by the engine/],
    ['one that is never sent', hook('headers: { Expect: T0KEN }'), {}, /set by the engine/],
    ['an odd header', hook('headers: { "a b": T0KEN }'), {}, /no name of a header/],
    ['an unknown key', hook('cooldown: 1'), {}, /unknown key "cooldown"; did you mean "cooldownS"/],
    ['no kind', hook('kinds: []'), {}, /webhooks\.door\.kinds/],
    ['an unknown kind', hook('kinds: [scene]'), {}, /webhooks\.door\.kinds/],
    [
      'no reasons of that',
      hook('target: within\n    waitForReasonMs: 1'),
      {},
      /only forecasts with the target next/,
    ],
    ['a slip of the pen', 'webhooks:\n  door:\n    url: "https://h.example/T0KEN\n', {}, /c\.yaml/],
    ['another', 'webhooks: { door: { url: https://h.example/T0KEN, url: 2 } }', {}, /unique/],
    [
      'as JSON',
      '{\n"webhooks": { "door": {\n"url": "https://h.example/T0KEN" "x"\n} } }',
      {},
      /c\.yaml/,
    ],
  ])('refuses %s without showing it', (_, yaml, env, message) => {
    const text = problem(yaml, env);
    expect(text).toMatch(message);
    expect(text).not.toContain('T0KEN');
  });

  it('still shows the line of what is wrong elsewhere', () => {
    const text = problem(`${hook('')}limits:\n  drainMs: x\n`);
    expect(text).toMatch(/6 \| {3}drainMs: x/);
  });

  it('is printed without secrets', () => {
    const more = 'headers: { Authorization: T0KEN }\n    secret: T0KEN of some length';
    const shown = withoutSecrets(load(hook(more))).webhooks['door'];
    expect(shown).toMatchObject({
      url: 'https://h.example/***',
      headers: { Authorization: '***' },
      secret: '***',
    });
  });
});

interface Running {
  readonly messages: Subject<Message>;
  readonly closers: Closers;
  readonly said: string[];
  readonly counts: () => Promise<string[]>;
}

function start(yaml: string, known: readonly string[] = ['van enters']): Running {
  const messages = new Subject<Message>();
  const closers = new Closers();
  const metrics = createMetrics({ processMetrics: false });
  const said: string[] = [];
  startWebhooks({
    ...{ config: load(yaml), metrics, messages, closers, labels: Promise.resolve(known) },
    console: {
      log: (level, text) => said.push(`${level}: ${text}`),
      message: () => undefined,
      state: () => undefined,
    },
    onFatal: (error) => {
      throw error;
    },
  });
  onTestFinished(() => closers.close());
  const counts = async (): Promise<string[]> =>
    [...(await metrics.text()).matchAll(/lookahead_webhooks_total\{(.*)\} (\d+)/g)].map(
      ([, labels = '', count = '']) => `${labels.replaceAll(/\w+=|"/g, '')} ${count}`,
    );
  return { messages, closers, said, counts };
}

async function receiver() {
  const bodies: Notice[] = [];
  let code = 200;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      bodies.push(JSON.parse(body) as Notice);
      response.writeHead(code).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const answer = (next: number): void => void (code = next);
  return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/T0KEN`, bodies, answer };
}

const patience = { timeout: 20_000, interval: 10 };

describe('a running engine', () => {
  it('tells each webhook of its own, counts it, and says once that one fails and once that it works again', async () => {
    const to = await receiver();
    const yaml = `webhooks:
  door: { url: "${to.url}", kinds: [event], cooldownS: 0, retries: 0 }
  all: { url: "${to.url}", kinds: [event, forecast], labels: [dog leaves], confidenceMin: 0.01 }
`;
    const { messages, said, counts } = start(yaml, ['van enters', 'dog leaves']);
    expect(await counts()).toEqual(
      ['door', 'all'].flatMap((name) =>
        ['sent', 'failed', 'dropped'].map((of) => `${name},${of} 0`),
      ),
    );
    messages.next(event(1));
    await vi.waitFor(async () => expect(await counts()).toContain('door,sent 1'), patience);
    to.answer(500);
    messages.next(event(2));
    messages.next(event(3));
    await vi.waitFor(async () => expect(await counts()).toContain('door,failed 2'), patience);
    to.answer(200);
    messages.next(event(4));
    await vi.waitFor(async () => expect(await counts()).toContain('door,sent 2'), patience);
    messages.next(forecast(1));
    await vi.waitFor(async () => expect(await counts()).toContain('all,sent 1'), patience);
    expect(to.bodies.at(-1)).toMatchObject({ label: 'dog leaves', confidence: 0.02 });
    expect(said).toEqual([
      `warn: webhook door (http://${to.host}): failed: it answered 500.`,
      `debug: webhook door (http://${to.host}): failed: it answered 500.`,
      `info: webhook door (http://${to.host}) takes messages again.`,
    ]);
  });

  it('warns of labels that the bundle does not have', async () => {
    const { said } = start(hook('labels: [van enters, fan enters]'));
    await vi.waitFor(() => expect(said.length).toBe(1));
    expect(said[0]).toMatch(/^warn: webhooks\.door\.labels: .*"fan enters"/);
  });

  it('sends what waits for its reasons when it stops, and listens no more', async () => {
    const to = await receiver();
    const { messages, closers, counts } = start(hook('waitForReasonMs: 30000', to.url));
    messages.next(forecast(1));
    expect(to.bodies).toEqual([]);
    await closers.close();
    expect(to.bodies.map(({ label }) => label)).toEqual(['van enters']);
    messages.next(forecast(2, { camera: 'yard' }));
    expect(await counts()).toEqual(['door,sent 1', 'door,failed 0', 'door,dropped 0']);
  });
});

it('docs/webhooks.md says how to work out a signature by hand', (context) => {
  const page = readFileSync('docs/webhooks.md', 'utf8');
  const command = /```sh\n(.*openssl.*)\n```/.exec(page)?.[1] ?? 'false';
  const body = '{"text":"ü"}';
  writeFileSync(join(folder, 'body'), body);
  const [TIMESTAMP, SECRET] = ['1795338000', 'a secret of some length'];
  const env = { ...process.env, TIMESTAMP, SECRET };
  if (spawnSync('openssl', ['version']).status !== 0) context.skip('openssl was not found');
  const { stdout } = spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
  expect(`sha256=${stdout.trim().split(' ').at(-1) ?? ''}`).toBe(
    signature(SECRET, TIMESTAMP, body),
  );
});
