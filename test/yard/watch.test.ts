/** The yard as cameras and as a page: that both show the same, that bars rise before what they tell of, and plain errors. */
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { yardWatchCommand } from '../../src/commands/yard-watch.js';
import { filmScene } from '../../src/yard/data/film-scene.js';
import type { SceneOptions } from '../../src/yard/data/film-scene.js';
import { recordScene, sceneFolder } from '../../src/yard/data/record-scene.js';
import { openScene } from '../../src/yard/data/splits.js';
import { simulateFutures } from '../../src/yard/truth/futures.js';
import { BarOrder, rowsMax } from '../../src/yard/watch/bar-order.js';
import { BayesRounds, futuresPerRound } from '../../src/yard/watch/bayes-rounds.js';
import type { ToldChances } from '../../src/yard/watch/bayes-rounds.js';
import type { PictureHead, Told } from '../../src/yard/watch/messages.js';
import { ReplayedScene } from '../../src/yard/watch/replayed-scene.js';
import { stepOnce } from '../../src/yard/watch/scene.js';
import { watchYard } from '../../src/yard/watch/watch-yard.js';
import type { Watch, WatchOptions } from '../../src/yard/watch/watch-yard.js';
import { YardScene } from '../../src/yard/watch/yard-scene.js';
import { worldVersion } from '../../src/yard/world/version.js';
import { labelOf, yardLabels } from '../../src/yard/world/labels.js';
import { ffmpegPath, until, watch as watchRtsp } from './rtsp-helpers.js';

const lawn = { split: 'train', seed: 7, index: 1 } as const;
const openLawn = () => openScene(lawn.split, lawn.seed, lawn.index);
const recordedS = 3;
const scenes: SceneOptions = {
  ...{ split: 'train', seed: 7, secondsPerScene: recordedS, bayes: 'none', causes: 'none' },
};
const recording = {
  ...{ schema: 'lookahead.yard.v2', tracks: false, split: 'train', seed: 7, scenes: 2 },
  ...{ secondsPerScene: recordedS, texts: 0, bayesCount: 0, bayesEvery: 0, causesPairs: 0 },
  ...{ worldVersion, ffmpeg: 'any' },
};
let folder: string;
let recorded: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lookahead-watch-'));
  recorded = newFolder('recorded', recording);
  for (const index of [0, 1])
    await recordScene(scenes, index, { outDir: recorded, ffmpegPath: ffmpegPath() });
});

afterAll(() => rmSync(folder, { recursive: true }));

function newFolder(name: string, about: object): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'recording.json'), JSON.stringify(about));
  return path;
}

async function start(
  source: WatchOptions['source'],
  ports: { port?: number; rtspPort?: number } = {},
): Promise<Watch> {
  const started = await watchYard({
    ...{ source, port: 0, rtspPort: 0, ffmpegPath: ffmpegPath() },
    ...ports,
  });
  onTestFinished(() => started.close());
  return started;
}

interface Shown {
  readonly head: PictureHead;
  readonly bytes: Buffer;
}

/** A page, as far as its connection goes. */
async function openPage({ pageUrl }: Watch) {
  const socket = new WebSocket(`${pageUrl.replace('http', 'ws')}live`);
  const told: Told[] = [];
  const shown: Shown[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      told.push(JSON.parse(data.toString()) as Told);
      return;
    }
    const end = 4 + data.readUInt32LE(0);
    const head = JSON.parse(data.subarray(4, end).toString()) as PictureHead;
    shown.push({ head, bytes: data.subarray(end) });
  });
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return {
    ...{ socket, told, shown },
    ask: (what: object) => socket.send(JSON.stringify(what)),
    of: <Kind extends Told['kind']>(kind: Kind) =>
      told.filter((it): it is Extract<Told, { kind: Kind }> => it.kind === kind),
  };
}

describe('yards that are alive', () => {
  it('come as RTSP in the size asked for, and as a page with the same yard', async () => {
    const size = { widthPx: 480, heightPx: 270 };
    const watch = await start({ kind: 'live', split: 'train', seed: 7, cameras: 2, size });
    expect(Object.keys(watch.rtspUrls)).toEqual(['yard-0', 'yard-1']);
    const page = await openPage(watch);
    page.ask({ do: 'watch', camera: 1 });
    const rtsp = await watchRtsp(watch.rtspUrls['yard-1'] ?? '', 'tcp', 20);
    expect(rtsp.size, rtsp.stderr).toBe('480x270');
    expect(new Set(rtsp.checksums).size).toBeGreaterThan(15);
    await until('bars', () => page.of('chances').some(({ camera }) => camera === 1));
    const [yard] = page.of('yard');
    expect(yard?.cameras.map(({ name, template, isLive }) => [name, template, isLive])).toEqual([
      ['yard-0', 'gate+light', true],
      ['yard-1', 'gate+lawn', true],
    ]);
    const { bars, futures } = page.of('chances').find(({ camera }) => camera === 1)!;
    expect(futures).toBeLessThanOrEqual(futuresPerRound);
    expect(bars.at(-1)?.text).toBe('nothing');
    expect(bars.reduce((sum, { chance }) => sum + chance, 0)).toBeCloseTo(1, 1);
    await until('a thumbnail', () => page.shown.some(({ head }) => head.kind === 'thumbnail'));
    for (const { head, bytes } of page.shown)
      expect(bytes).toHaveLength(head.width * head.height * 4);
    page.ask({ do: 'masks', shown: true });
    await until('masks', () => page.shown.some(({ head }) => head.masks !== undefined));
    const { head, bytes } = page.shown.find((it) => it.head.masks !== undefined)!;
    expect(head.masks?.objects.map((it) => it.class)).toContain('gate');
    expect(bytes).toHaveLength(320 * 180 * 4 + 160 * 90);
    expect(Math.max(...bytes.subarray(320 * 180 * 4))).toBe(head.masks?.objects.length);
    await watch.close();
    await until('the page is told', () => page.socket.readyState === WebSocket.CLOSED);
    await expect(fetch(watch.pageUrl)).rejects.toThrow();
  });

  it('pause, go on step by step, and change their pace', async () => {
    const watch = await start({ kind: 'live', split: 'train', seed: 7, cameras: 1, size: null });
    const page = await openPage(watch);
    page.ask({ do: 'pause', isPaused: true });
    await until('paused', () => page.of('pace').some(({ isPaused }) => isPaused));
    page.ask({ do: 'pace', pace: 2 });
    await until('the pace', () => page.of('pace').some(({ pace }) => pace === 2));
    page.ask({ do: 'pace', pace: 9 });
    await until('what nobody understands ends the connection', () => page.socket.readyState > 1);

    const scene = YardScene.open('train', 7, 1);
    const from = scene.world.tick;
    const ticksOf = (pictures: number): number => {
      const before = scene.world.tick;
      for (let i = 0; i < pictures; i++) scene.next();
      return scene.world.tick - before;
    };
    expect(ticksOf(4)).toBe(4);
    scene.pace = 2;
    expect(ticksOf(4)).toBe(8);
    scene.pace = 0.5;
    expect(ticksOf(4)).toBe(2);
    scene.isPaused = true;
    const still = scene.next();
    expect(scene.next()).toBe(still);
    scene.skip(2);
    expect(scene.next()).not.toBe(still);
    expect(scene.next()).toBe(scene.picture());
    expect(scene.world.tick - from).toBe(4 + 8 + 2 + 2);
  });

  it('serve all that the page asks for, to this machine alone', async () => {
    const { pageUrl } = await start({ kind: 'recorded', dir: recorded, cameras: 1 });
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const reply = await fetch(new URL(path, pageUrl));
      expect(reply.status, path).toBe(200);
      expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
      const text = await reply.text();
      // Nothing that was told goes into the page as markup.
      expect(text, path).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/);
      for (const [, next = ''] of text.matchAll(/(?:src|href|from)[= ]["'](\/[^"']+)["']/g))
        await visit(next);
    };
    await visit('/');
    expect([...seen]).toEqual(expect.arrayContaining(['/page.js', '/page.css', '/trace.js']));
    const facts = (await (await fetch(new URL('/yard.json', pageUrl))).json()) as object;
    expect(facts).toMatchObject({ cameras: [{ name: 'scene-00000', template: 'gate+light' }] });
    expect((await fetch(new URL('/../package.json', pageUrl))).status).toBe(404);
    expect((await fetch(pageUrl, { method: 'POST' })).status).toBe(405);
    const foreign = await new Promise((resolve) => {
      const { port } = new URL(pageUrl);
      request({ port, host: '127.0.0.1', headers: { host: 'evil.example' } }, (reply) => {
        resolve(reply.resume().statusCode);
      }).end();
    });
    expect(foreign).toBe(403);
    const strange = new WebSocket(`${pageUrl.replace('http', 'ws')}live`, {
      origin: 'http://evil.example',
    });
    const [error] = (await once(strange, 'error')) as [Error];
    expect(error.message).toContain('403');
  });
});

describe('recordings', () => {
  it('are sent as they are, and the page shows what is in them', async () => {
    const watch = await start({ kind: 'recorded', dir: recorded, cameras: 64 });
    expect(Object.keys(watch.rtspUrls)).toEqual([sceneFolder(0), sceneFolder(1)]);
    const rtsp = await watchRtsp(watch.rtspUrls[sceneFolder(1)] ?? '', 'tcp', 12);
    expect(rtsp.size, rtsp.stderr).toBe('320x180');
    const page = await openPage(watch);
    page.ask({ do: 'watch', camera: 1 });
    const known = [...filmScene(scenes, 1)].flatMap((it) =>
      it.kind === 'picture' ? [it.pixels] : [],
    );
    const ofTwo = () =>
      page.shown.filter(({ head }) => head.kind === 'picture' && head.camera === 1);
    await until('pictures', () => ofTwo().length > 5);
    for (const { bytes } of ofTwo()) expect(known.some((it) => it.equals(bytes))).toBe(true);
  });

  it('are simulated in step with their video, loop after loop', () => {
    const known = [...filmScene(scenes, 1)].flatMap((it) =>
      it.kind === 'picture' ? [it.pixels] : [],
    );
    let nowMs = 1000;
    const scene = new ReplayedScene({
      open: openLawn,
      pictures: known.length,
      nowMs: () => nowMs,
    });
    for (const [afterMs, picture] of [
      [0, 0],
      [124, 0],
      [126, 1],
      [1000, 8],
      [2990, 23],
      [3010, 0],
      [3630, 5],
      [9130, 1],
    ] as const) {
      nowMs = 1000 + afterMs;
      scene.follow();
      expect(scene.picture().equals(known[picture]!), `${afterMs} ms`).toBe(true);
    }
  });

  it('must be there, have videos, and tell what this version simulates', async () => {
    const from = (dir: string): Promise<Watch> => start({ kind: 'recorded', dir, cameras: 64 });
    await expect(from(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(`--from is ${join(folder, 'nowhere')}`) as string,
    });
    await expect(from(newFolder('empty', recording))).rejects.toMatchObject({
      code: 'recording_unusable',
      message: expect.stringContaining('holds no scene') as string,
    });
    await expect(from(newFolder('tracks', { ...recording, tracks: true }))).rejects.toMatchObject({
      message: expect.stringContaining('--tracks') as string,
    });
    await expect(from(newFolder('old', { schema: 1 }))).rejects.toMatchObject({
      message: expect.stringContaining('another version') as string,
    });
    const other = newFolder('other', { ...recording, seed: 8 });
    const scene = join(other, sceneFolder(0));
    mkdirSync(scene);
    await expect(from(other)).rejects.toMatchObject({
      message: expect.stringContaining('no video.h264') as string,
    });
    for (const file of ['video.h264', 'events.jsonl'])
      copyFileSync(join(recorded, sceneFolder(0), file), join(scene, file));
    await expect(from(other)).rejects.toMatchObject({
      code: 'recording_unusable',
      message: expect.stringContaining('no longer what this one simulates') as string,
    });
  });
});

describe('pBayes beside the picture', () => {
  const finish = (rounds: BayesRounds): void => {
    while (rounds.hasWork) rounds.work();
  };

  it('of the child is low before the ball rolls, and high before the child runs', async () => {
    const world = openLawn();
    const rounds = new BayesRounds(world, () => undefined);
    const label = labelOf('child runs after ball');
    const chancesBefore = {
      'ball rolls onto road': [] as number[],
      'child runs after ball': [] as number[],
    };
    for (let tick = 0; tick < 16 * 60; tick++) {
      const begun = stepOnce(world);
      const known = rounds.note(world, begun);
      finish(rounds);
      for (const text of ['ball rolls onto road', 'child runs after ball'] as const)
        if (begun.some((event) => event.label === labelOf(text)))
          chancesBefore[text].push((await known)?.chances[label] ?? NaN);
    }
    const mean = (chances: readonly number[]): number =>
      chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
    expect(mean(chancesBefore['ball rolls onto road'])).toBeLessThan(0.1);
    expect(mean(chancesBefore['child runs after ball'])).toBeGreaterThan(0.5);
  });

  it('is the share of the futures, worked out a few at a time and only when somebody looks', () => {
    const world = openLawn();
    const told: ToldChances[] = [];
    const rounds = new BayesRounds(world, (chances) => told.push(chances));
    rounds.work();
    expect([rounds.hasWork, told]).toEqual([false, []]);
    rounds.watch(true);
    let slices = 0;
    for (; rounds.hasWork; slices++) rounds.work();
    expect(slices).toBeGreaterThan(50);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ tick: world.tick, futures: futuresPerRound });
    const truth = simulateFutures(world, {
      ...{ count: 2000, seed: 5, knows: 'seen', target: 'next' },
    });
    told[0]?.chances.forEach((chance, at) => {
      expect(Math.abs(chance - truth.next[at]! / 2000), yardLabels[at]?.text).toBeLessThan(0.1);
    });
    for (let tick = 0; tick < 8; tick++) {
      expect(rounds.hasWork).toBe(false);
      world.step();
      void rounds.note(world, []);
    }
    expect(rounds.hasWork).toBe(true);
  });

  it('of an event is that of the last round before it, and too many that wait are given up', async () => {
    const world = openLawn();
    const rounds = new BayesRounds(world, () => undefined);
    const event = { id: 1, tick: 0, label: 1, actor: 1, target: null, because: [] };
    const start = world.tick;
    const known = Array.from({ length: 10 }, () => {
      world.step();
      return rounds.note(world, [event]);
    });
    finish(rounds);
    const ticks = (await Promise.all(known.map(async (it) => it))).map(
      (it) => it && it.tick - start,
    );
    expect(ticks).toEqual([null, null, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('keeps bars in their places while they differ by little', () => {
    const order = new BarOrder();
    const arrange = (shares: Record<number, number>): readonly number[] =>
      order.arrange(yardLabels.map((_, label) => shares[label] ?? 0));
    expect(arrange({ 0: 0.5, 1: 0.2, 2: 0.3 })).toEqual([2, 1]);
    expect(arrange({ 0: 0.5, 1: 0.26, 2: 0.24 })).toEqual([2, 1]);
    expect(arrange({ 0: 0.5, 1: 0.3, 2: 0.2 })).toEqual([1, 2]);
    expect(arrange({ 0: 0.1, 1: 0.3, 2: 0.001, 5: 0.5 })).toEqual([5, 1]);
    const many = Object.fromEntries(yardLabels.map((_, label) => [label, 1 / yardLabels.length]));
    expect(arrange(many)).toHaveLength(rowsMax);
  });

  it('tells nothing that cannot be seen', async () => {
    const watch = await start({ kind: 'live', split: 'train', seed: 7, cameras: 2, size: null });
    const page = await openPage(watch);
    page.ask({ do: 'masks', shown: true });
    await until('bars', () => page.of('chances').length > 1 && page.shown.length > 3);
    const all = JSON.stringify([page.told, page.shown.map(({ head }) => head)]);
    expect(all).not.toMatch(/expected|belief|plan"|seed"/);
  });
});

describe('yard watch', () => {
  const run = (...args: string[]): Promise<number> =>
    yardWatchCommand(args, {
      ...{ ffmpegPath: ffmpegPath(), out: new PassThrough(), signal: AbortSignal.abort() },
    });

  it.each([
    [['--cameras', '65'], '--cameras is 65; at most 64 can be shown.'],
    [['--cameras', '0'], '--cameras is "0", not a whole number from 1.'],
    [['--size', '641x360'], '--size is "641x360", not WIDTHxHEIGHT in even numbers'],
    [['--size', 'big'], '--size is "big", not WIDTHxHEIGHT'],
    [['--split', 'tests'], '--split is "tests", not one of train, validation, test'],
    [['--seed', 'x'], '--seed is "x", not a whole number from 0.'],
    [['--port', '70000'], '--port is 70000, not a port from 0 to 65535.'],
    [['--from', 'x', '--size', '64x64'], '--size is "64x64", but a recording is shown as it is'],
    [['here'], '"here" is not understood here'],
  ])('%j is refused', async (args, message) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message) as string,
      remedy: expect.stringContaining('./lookahead yard watch') as string,
    });
  });

  it('names the port that is taken, and leaves nothing behind', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const source = { kind: 'live', split: 'train', seed: 7, cameras: 1, size: null } as const;
    await expect(start(source, { port })).rejects.toMatchObject({
      code: 'port_taken',
      message: `The page's port ${port} is already in use.`,
    });
    await expect(start(source, { rtspPort: port })).rejects.toMatchObject({
      code: 'port_taken',
      remedy: 'Choose another one with --rtsp-port PORT (0: any free one).',
    });
    await expect(
      watchYard({ source, port: 0, rtspPort: 0, ffmpegPath: '/nowhere/ffmpeg' }),
    ).rejects.toMatchObject({ code: 'ffmpeg_missing' });
  });

  it('says where the page and the cameras are, and ends with Ctrl-C', async () => {
    const out = new PassThrough();
    const end = new AbortController();
    const ended = yardWatchCommand(
      ['--from', recorded, '--port', '0', '--rtsp-port', '0', '--cameras', '1'],
      { ffmpegPath: ffmpegPath(), out, signal: end.signal },
    );
    let text = '';
    out.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until('it is ready', () => text.includes('Ctrl-C'));
    expect(text).toMatch(
      /^page {2}http:\/\/127\.0\.0\.1:\d+\/\nRTSP {2}rtsp:\/\/127\.0\.0\.1:\d+\/scene-00000\n/,
    );
    end.abort();
    expect(await ended).toBe(0);
  });

  it('has a picture of its page in the documents that is small enough to load', () => {
    expect(readFileSync('docs/images/yard-watch.png').length).toBeLessThan(300_000);
  });
});
