/** Delivery over HTTP against real servers on loopback that are slow, broken, hostile or away. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebhookSchema, type Notice } from '../../src/messages.js';
import { openWebhook, type WebhookLimits, type WebhookOptions } from '../../src/sinks/webhook.js';
import { forecast } from '../support/messages.js';

const key = 'a secret of some length';

interface Request {
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly atMs: number;
}

interface Receiver {
  readonly url: string;
  readonly requests: Request[];
  answer: (response: ServerResponse, count: number) => void;
}

async function receiver(answer: Receiver['answer'] = ok): Promise<Receiver> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      requests.push({ body, headers: request.headers, atMs: performance.now() });
      made.answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const made = { url: `http://127.0.0.1:${port}/hooks/T0KEN?key=T0KEN`, requests, answer };
  return made;
}

function ok(response: ServerResponse): void {
  response.end('ok');
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end('no');

function notice(sequence: number): Notice {
  const message = forecast(sequence);
  return {
    ...{ schema: 'lookahead.webhook.v1', camera: 'gate', kind: 'forecast', label: 'van enters' },
    ...{ confidence: 0.62, text: `number ${sequence}, «ü»`, message },
  };
}

interface Opened {
  readonly send: (sequence: number) => void;
  readonly close: (limitMs?: number) => Promise<void>;
  /** `sent`, `failed: it answered 500`, in order. */
  readonly results: string[];
}

function open(
  url: string,
  limits: Partial<WebhookLimits> = {},
  options: Partial<WebhookOptions> = {},
): Opened {
  const results: string[] = [];
  const webhook = openWebhook({
    limits: {
      ...{ url, headers: {}, secret: null, timeoutMs: 5_000, retries: 2, maxAgeS: 60 },
      ...{ queueMax: 8, ...limits },
    },
    onResult: (result, why) => results.push(why === '' ? result : `${result}: ${why}`),
    backOffMs: 20,
    random: () => 0.5,
    ...options,
  });
  const close = (limitMs = 0): Promise<void> => webhook.close(limitMs);
  onTestFinished(() => close());
  return { send: (sequence) => webhook.send(notice(sequence)), close, results };
}

const has = (opened: Opened, expected: readonly string[]): Promise<void> =>
  vi.waitFor(() => expect(opened.results).toEqual(expected), { timeout: 20_000, interval: 10 });

it('posts JSON with a signature that a receiver can work out from what it got', async () => {
  const to = await receiver();
  const hook = open(to.url, { secret: key, headers: { Authorization: 'Bearer b' } });
  hook.send(1);
  await has(hook, ['sent']);
  const { body, headers } = to.requests[0]!;
  expect(WebhookSchema.parse(JSON.parse(body))).toEqual(notice(1));
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Bearer b',
    'x-lookahead-id': 'test-gate-1-1',
  });
  const timestamp = String(headers['x-lookahead-timestamp']);
  expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(60);
  const hmac = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
  expect(headers['x-lookahead-signature']).toBe(`sha256=${hmac}`);
});

it('signs nothing without a secret', async () => {
  const to = await receiver();
  const hook = open(to.url);
  hook.send(1);
  await has(hook, ['sent']);
  expect(to.requests[0]?.headers).not.toHaveProperty('x-lookahead-signature');
});

it('tries again with the same id, later each time, and goes on with the next', async () => {
  const to = await receiver((response, count) =>
    count < 3 ? status(500)(response) : ok(response),
  );
  const hook = open(to.url, {}, { backOffMs: 100 });
  hook.send(1);
  hook.send(2);
  await has(hook, ['sent', 'sent']);
  const ids = to.requests.map(({ headers }) => headers['x-lookahead-id']);
  expect(ids).toEqual([...Array<string>(3).fill('test-gate-1-1'), 'test-gate-1-2']);
  const [first, second, third] = to.requests.map(({ atMs }) => atMs) as [number, number, number];
  expect(second - first).toBeGreaterThan(95);
  expect(third - second).toBeGreaterThan(195);
});

it('gives up after the last repetition', async () => {
  const to = await receiver(status(503));
  const hook = open(to.url);
  hook.send(1);
  await has(hook, ['failed: it answered 503']);
  expect(to.requests.length).toBe(3);
});

it.each([400, 401, 404, 410])('does not repeat what was answered %i', async (code) => {
  const to = await receiver(status(code));
  const hook = open(to.url);
  hook.send(1);
  await has(hook, [`failed: it answered ${code}`]);
  expect(to.requests.length).toBe(1);
});

it('does not follow a redirect', async () => {
  const elsewhere = await receiver();
  const to = await receiver(status(307, { location: elsewhere.url }));
  const hook = open(to.url);
  hook.send(1);
  await has(hook, ['failed: it answered 307, a redirect']);
  expect(elsewhere.requests).toEqual([]);
});

it('waits as long as Retry-After says', async () => {
  const to = await receiver((response, count) =>
    count === 1 ? status(429, { 'retry-after': '1' })(response) : ok(response),
  );
  const hook = open(to.url);
  hook.send(1);
  await has(hook, ['sent']);
  const [first, second] = to.requests.map(({ atMs }) => atMs) as [number, number];
  expect(second - first).toBeGreaterThan(990);
});

it('understands a date, and leaves a receiver alone that asks for more than a message may wait', async () => {
  const inAnHour = new Date(Date.now() + 3_000_000).toUTCString();
  const to = await receiver(status(503, { 'retry-after': inAnHour }));
  const hook = open(to.url);
  hook.send(1);
  await has(hook, ['failed: it answered 503']);
  hook.send(2);
  await has(hook, ['failed: it answered 503', 'dropped: it had waited too long']);
  expect(to.requests.length).toBe(1);
});

it('gives up a receiver that hangs, before or in its answer', async () => {
  const to = await receiver((response, count) => {
    if (count === 2) response.writeHead(200).write('endless');
  });
  const hook = open(to.url, { timeoutMs: 300, retries: 0 });
  hook.send(1);
  await has(hook, ['failed: no answer within 300 ms']);
  hook.send(2);
  await has(hook, ['failed: no answer within 300 ms', 'sent']);
});

it('comes back when the receiver does', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const nobody = `http://127.0.0.1:${(free.address() as AddressInfo).port}/T0KEN`;
  await new Promise((resolve) => free.close(resolve));
  const hook = open(nobody);
  hook.send(1);
  await has(hook, ['failed: ECONNREFUSED']);
  const back = createServer((_, response) => ok(response));
  onTestFinished(() => {
    back.close();
    back.closeAllConnections();
  });
  await new Promise<void>((resolve) =>
    back.listen(Number(new URL(nobody).port), '127.0.0.1', resolve),
  );
  hook.send(2);
  await has(hook, ['failed: ECONNREFUSED', 'sent']);
});

it('keeps the newest when more come than may wait, and is never waited for', async () => {
  const held: ServerResponse[] = [];
  const to = await receiver((response) => void held.push(response));
  const hook = open(to.url, { queueMax: 2 });
  hook.send(1);
  await vi.waitFor(() => expect(held.length).toBe(1));
  for (let sequence = 2; sequence <= 1_000; sequence++) hook.send(sequence);
  // All of it in one turn of the event loop: nothing was waited for.
  expect(hook.results).toEqual(Array<string>(997).fill('dropped: too many wait'));
  to.answer = ok;
  held.forEach(ok);
  await vi.waitFor(() => expect(hook.results.slice(997)).toEqual(['sent', 'sent', 'sent']));
  const ids = to.requests.map(({ headers }) => headers['x-lookahead-id']);
  expect(ids).toEqual(['test-gate-1-1', 'test-gate-1-999', 'test-gate-1-1000']);
});

it('gives up what has waited too long', async () => {
  const held: ServerResponse[] = [];
  const to = await receiver((response) => void held.push(response));
  const hook = open(to.url, { maxAgeS: 0.2 });
  hook.send(1);
  hook.send(2);
  await vi.waitFor(() => expect(held.length).toBe(1));
  await delay(250);
  held.forEach(ok);
  await has(hook, ['sent', 'dropped: it had waited too long']);
});

it('delivers what waits when it is closed, and takes nothing more', async () => {
  const to = await receiver();
  const hook = open(to.url);
  for (const sequence of [1, 2, 3]) hook.send(sequence);
  await hook.close(20_000);
  expect(hook.results).toEqual(['sent', 'sent', 'sent']);
  hook.send(4);
  expect(hook.results.at(-1)).toBe('dropped: the engine is closing');
});

it('does not wait for repetitions when it is closed', async () => {
  const to = await receiver(status(500));
  const hook = open(to.url, {}, { backOffMs: 60_000 });
  for (const sequence of [1, 2]) hook.send(sequence);
  await vi.waitFor(() => expect(to.requests.length).toBe(1));
  await hook.close(20_000);
  expect(hook.results).toEqual(Array<string>(2).fill('failed: it answered 500'));
});

it('ends within its limit when the receiver hangs', async () => {
  const to = await receiver(() => undefined);
  const hook = open(to.url, { timeoutMs: 60_000 });
  for (const sequence of [1, 2]) hook.send(sequence);
  await vi.waitFor(() => expect(to.requests.length).toBe(1));
  const closedAtMs = performance.now();
  await hook.close(200);
  expect(performance.now() - closedAtMs).toBeLessThan(10_000);
  expect(hook.results).toEqual(['failed: the engine is closing', 'dropped: the engine is closing']);
});

it('says nothing of the address, whatever goes wrong', async () => {
  const said: string[] = [];
  for (const url of [
    'http://127.0.0.1:1/T0KEN',
    'http://no-such-host.invalid/T0KEN',
    'https://127.0.0.1:1/T0KEN',
  ]) {
    const hook = open(url, { retries: 0, headers: { Authorization: 'T0KEN' }, secret: key });
    hook.send(1);
    await vi.waitFor(() => expect(hook.results.length).toBe(1), { timeout: 20_000 });
    said.push(...hook.results);
  }
  expect(said.length).toBe(3);
  expect(said.join()).not.toMatch(/T0KEN|a secret/);
  for (const one of said) expect(one).toMatch(/^failed: \S/);
});
