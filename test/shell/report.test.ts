/** `./lookahead report` against a real nats-server. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect } from 'nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commands } from '../../src/commands/index.js';
import type { Outcome } from '../../src/messages.js';
import type { Report } from '../../src/outcomes/report-sums.js';
import { connectBus } from '../../src/sinks/bus.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const hourMs = 3_600_000;
const draw = drawing(8);
let ids = 0;
const agoOutcome = (agoMs: number, more: Partial<Outcome> = {}): Outcome => ({
  ...(more.verdict === 'undecidable'
    ? undecidableOutcome(Date.now() - agoMs, more)
    : drawnOutcome(draw, Date.now() - agoMs, more)),
  id: `test-gate-1-${ids++}`,
});

async function serverWith(...outcomes: Outcome[]): Promise<TestNatsServer> {
  const server = await natsServerForTest();
  const bus = await connectBus({ servers: [server.url], site: 'test' });
  await bus.ready(10_000);
  await Promise.all(outcomes.map((outcome) => bus.publish(outcome)));
  await bus.close();
  return server;
}

async function report(server: Pick<TestNatsServer, 'url'>, ...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const cwd = mkdtempSync(join(tmpdir(), 'lookahead-report-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const status = await commands['report']!([...args, '--site', 'test', '--nats', server.url], {
    ...{ out, err, env: {}, cwd, ffmpegPath: 'ffmpeg', natsServerPath: 'nats-server' },
    signal: new AbortController().signal,
  });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, text: text(out), warnings: text(err), cwd };
}

describe('report', () => {
  it('adds up what is stored of the time and the cameras that were asked for, and writes the page', async () => {
    const server = await serverWith(
      ...Array.from({ length: 400 }, (_, index) => agoOutcome(index * 30_000)),
      agoOutcome(1_000, { verdict: 'undecidable' }),
      agoOutcome(30 * hourMs),
      agoOutcome(1_000, { camera: 'yard' }),
    );
    const client = await connect({ servers: server.url });
    await client.jetstream().publish('lookahead.v1.test.gate.outcome', 'no outcome at all');
    await client.close();

    const all = await report(server, '--json', '--html', 'page.html');
    expect(all.status).toBe(0);
    expect(all.warnings).toContain('1 messages were no outcomes of version 1.');
    const { site, cameras } = JSON.parse(all.text) as Report;
    expect(site).toBe('test');
    expect(cameras).toMatchObject([
      { camera: 'gate', target: 'next', score: { outcomes: 400, undecidable: 1 } },
      { camera: 'yard', target: 'next', score: { outcomes: 1 } },
    ]);
    const page = readFileSync(join(all.cwd, 'page.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('<dt>outcomes</dt><dd>400</dd>');

    const one = await report(server, '--camera', 'gate', '--since', '90m');
    expect(one.text).toMatch(/^18[01] outcomes, 1 undecidable \(camera 1\)/m);
    expect(one.text).not.toContain('yard');
    const long = await report(server, '--camera', 'gate', '--camera', 'yard', '--since', '7d');
    expect(long.text).toMatch(/^gate +next +401 +1 /m);
    expect(long.text).toMatch(/^yard +next +1 +0 /m);
  });

  it('says that there is nothing, and what to do', async () => {
    const server = await serverWith();
    const nothing = await report(server);
    expect(nothing.status).toBe(0);
    expect(nothing.text).toContain('There is no outcome of the site test in the last 24h.');
    expect(nothing.text).toContain('./lookahead start');
    expect(JSON.parse((await report(server, '--json')).text)).toMatchObject({ cameras: [] });
  });

  it('says which cameras there are, where it was asked for another one or for another time', async () => {
    const server = await serverWith(
      agoOutcome(2 * hourMs),
      agoOutcome(0, { camera: 'film', decidedAt: '1970-01-01T00:00:10.000Z' }),
    );
    const other = await report(server, '--camera', 'yard', '--html', 'page.html');
    expect(other.text).toContain('There is no outcome of yard on the site test in the last 24h.');
    expect(other.text).toMatch(
      /There are outcomes of film \(last 1970.*, gate \(last 20.*--since 7d/,
    );
    expect(readFileSync(join(other.cwd, 'page.html'), 'utf8')).toContain('no outcome of yard');
    expect((await report(server, '--since', '5m')).text).toContain(
      '2 outcomes are of other times, as those of recordings are.',
    );
  });

  it.each([
    [['--since', '1w'], /--since is "1w", not a time from 1m to 366d/],
    [['--since', '5m', '--since', '6m'], /--since stands twice/],
    [['--camera', 'a b'], /--camera "a b" is no name of a camera/],
    [['--colour'], /--colour/],
    [['yard-1'], /"yard-1" is not understood here/],
  ])('refuses %j before it connects', async (args, message) => {
    await expect(report({ url: 'nats://127.0.0.1:1' }, ...args)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message) as unknown,
      remedy: expect.stringContaining('./lookahead report') as unknown,
    });
  });

  it('says where a page cannot be written', async () => {
    const server = await serverWith(agoOutcome(0));
    await expect(report(server, '--html', 'no/such/folder/page.html')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('no/such/folder/page.html') as unknown,
    });
  });
});
