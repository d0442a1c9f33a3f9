import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ModelChild, type ModelChildOptions } from '../../src/models/model-child.js';
import { uint8, type Tensors } from '../../src/models/tensor.js';

const entry = fileURLToPath(new URL('fake-child.mjs', import.meta.url));
const open: ModelChild[] = [];
afterEach(() => Promise.all(open.splice(0).map((child) => child.close())));

function childOf(orders: object = {}, options: Partial<ModelChildOptions> = {}) {
  const restarts: string[] = [];
  const lost: number[] = [];
  const durations: number[] = [];
  const batches: number[] = [];
  const child = new ModelChild({
    role: 'perceiver',
    entry,
    bundleDir: JSON.stringify(orders),
    bundleSha256: 'abc',
    backOffMs: [1],
    onRestart: (_, why) => restarts.push(why),
    onLost: (_, count) => lost.push(count),
    onDuration: (_, durationMs) => durations.push(durationMs),
    onBatch: (_, count) => batches.push(count),
    ...options,
  });
  open.push(child);
  const ask = (camera: string, deadlineMs = 30_000, tensors: Tensors = {}) =>
    child.request(
      'perceive',
      {
        camera,
        epoch: 0,
        clip: 0,
        fromMs: 0,
        toMs: 1,
        picture: { x: 0, y: 0, width: 16, height: 9 },
        trackFloor: 1,
      },
      tensors,
      deadlineMs,
    );
  return { child, ask, restarts, lost, durations, batches };
}

const alive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a child that works', () => {
  test('answers in turn, and is timed', async () => {
    const { child, ask, durations } = childOf();
    await child.start();
    const replies = await Promise.all(['a', 'b', 'c'].map((camera) => ask(camera)));
    expect(replies.map(({ header }) => header.kind)).toEqual(['scene', 'scene', 'scene']);
    expect(durations).toHaveLength(3);
  });

  test('is asked only the newest of each camera, in turn between cameras', async () => {
    const { child, ask } = childOf();
    await child.start();
    const order: string[] = [];
    const noted = (camera: string, name: string) =>
      ask(camera).then(
        () => order.push(name),
        (error: unknown) => order.push(`${name} ${(error as { reason: string }).reason}`),
      );
    const all = [
      noted('slow', 'running'),
      noted('a', 'a1'),
      noted('b', 'b1'),
      noted('a', 'a2'),
      noted('a', 'a3'),
    ];
    await Promise.all(all);
    expect(order).toEqual(['a1 newer', 'a2 newer', 'running', 'a3', 'b1']);
  });

  test("does not hold the engine's event loop while it is busy", async () => {
    const { child, ask } = childOf();
    await child.start();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await ask('busy');
    clearInterval(timer);
    // 80 would fit; held for the whole run there would be none.
    expect(ticks).toBeGreaterThan(5);
  });

  test('that reports a failure is kept', async () => {
    const { child, ask, restarts } = childOf();
    await child.start();
    const { pid } = child;
    await expect(ask('fail')).rejects.toMatchObject({ code: 'model_failed', message: 'NaN' });
    await ask('a');
    expect(child.pid).toBe(pid);
    expect(restarts).toEqual([]);
  });
});

describe('a child that takes batches', () => {
  /** What came of a request: how many came to the child together with it, or why it failed. */
  const outcome = async (request: ReturnType<ReturnType<typeof childOf>['ask']>) => {
    try {
      const { header } = await request;
      return header.stagesMs['batch'];
    } catch (error) {
      const { reason, code } = error as { reason?: string; code?: string };
      return reason ?? code ?? String(error);
    }
  };

  test('is sent all that waits once it is free, of each camera the newest, no more than it may take', async () => {
    const { child, ask, batches, durations } = childOf({}, { batchMax: 3 });
    await child.start();
    const cameras = ['slow', 'a', 'b', 'a', 'c', 'd', 'b'];
    const all = cameras.map((camera) => outcome(ask(camera)));
    expect(await Promise.all(all)).toEqual([1, 'newer', 'newer', 3, 3, 1, 3]);
    expect(batches).toEqual([1, 3, 1]);
    expect(durations).toHaveLength(5);
  });

  test('fails one of them alone', async () => {
    const { child, ask, restarts } = childOf({}, { batchMax: 3, batchWaitMs: 60_000 });
    await child.start();
    const all = ['a', 'fail', 'b'].map((camera) => outcome(ask(camera)));
    expect(await Promise.all(all)).toEqual([3, 'model_failed', 3]);
    expect(restarts).toEqual([]);
  });

  test.each(['first', 'second', 'last'])(
    'loses none because the %s makes no message',
    async (bad) => {
      const { child, ask, batches } = childOf({}, { batchMax: 3, batchWaitMs: 60_000 });
      await child.start();
      const wrong = { frames: uint8([2], new Uint8Array(1)) };
      const all = ['first', 'second', 'last'].map((camera) =>
        outcome(ask(camera, 30_000, camera === bad ? wrong : {})),
      );
      const found = await Promise.all(all);
      expect(found.filter((one) => one === 2)).toHaveLength(2);
      expect(found.filter((one) => String(one).includes('has 1 elements'))).toHaveLength(1);
      expect(batches).toEqual([2]);
    },
  );

  test('waits for a batch to fill only as long as it is told to', async () => {
    const { child, ask } = childOf({}, { batchMax: 2, batchWaitMs: 50 });
    await child.start();
    expect(await Promise.all(['a', 'b'].map((camera) => outcome(ask(camera))))).toEqual([2, 2]);
    expect(await outcome(ask('a'))).toBe(1);
  });

  test('is not taken for hung while it answers one after another', async () => {
    const cameras = Array.from({ length: 12 }, (_, index) => `slow${index}`);
    const { child, ask, restarts } = childOf({}, { batchMax: 12, batchWaitMs: 60_000 });
    await child.start();
    // 12 times 100 ms.
    const all = cameras.map((camera) => outcome(ask(camera, 1000)));
    expect(await Promise.all(all)).toEqual(cameras.map(() => 12));
    expect(restarts).toEqual([]);
  });

  test('and dies of one is sent the next by themselves, then more and more again', async () => {
    const { child, ask, lost, batches } = childOf({}, { batchMax: 4, batchWaitMs: 60_000 });
    await child.start();
    const all = ['die', 'a', 'b', 'c'].map((camera) => outcome(ask(camera)));
    expect(await Promise.all(all)).toEqual(all.map(() => 'model_lost'));
    expect(lost).toEqual([4]);
    const later = ['d', 'e', 'f', 'g', 'h', 'i', 'j'].map((camera) => outcome(ask(camera)));
    expect(await Promise.all(later)).toEqual([1, 2, 2, 4, 4, 4, 4]);
    expect(batches).toEqual([4, 1, 2, 4]);
  });
});

describe('a child that fails is replaced, what was in flight is lost, and others are served', () => {
  test.each([
    ['dies', 'die', 30_000, 'model_lost', /ended with code 1|closed its connection/],
    ['answers garbage', 'garbage', 30_000, 'model_lost', /no message/],
    ['answers another kind', 'wrongKind', 30_000, 'model_lost', /nobody asked for/],
    ['answers another request', 'wrongId', 30_000, 'model_lost', /nobody asked for/],
    ['hangs past its deadline', 'hang', 300, 'model_late', /no answer within 300 ms/],
  ])('it %s', async (_, camera, deadlineMs, code, why) => {
    const { child, ask, restarts, lost } = childOf();
    await child.start();
    const { pid } = child;
    const bad = ask(camera, deadlineMs);
    const waiting = ask('other');
    await expect(bad).rejects.toMatchObject({ code });
    await expect(waiting).resolves.toMatchObject({ header: { kind: 'scene' } });
    expect(child.pid).not.toBe(pid);
    expect(restarts).toEqual([expect.stringMatching(why)]);
    expect(lost).toEqual([1]);
    await vi.waitFor(() => expect(alive(pid)).toBe(false));
  });

  test('it was stopped', async () => {
    const { child, ask, lost } = childOf();
    await child.start();
    const { pid } = child;
    process.kill(pid ?? 0, 'SIGSTOP');
    await expect(ask('a', 200)).rejects.toMatchObject({ code: 'model_late' });
    await ask('b');
    expect(lost).toEqual([1]);
    await vi.waitFor(() => expect(alive(pid)).toBe(false));
  });

  test('it was killed while idle: nothing is lost', async () => {
    const { child, ask, lost, restarts } = childOf();
    await child.start();
    process.kill(child.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(restarts).toHaveLength(1));
    await ask('a');
    expect(lost).toEqual([]);
  });

  test('and while there is none, requests wait no longer than their deadline', async () => {
    const { child, ask } = childOf({}, { backOffMs: [60_000] });
    await child.start();
    await expect(ask('die')).rejects.toMatchObject({ code: 'model_lost' });
    await expect(ask('a', 50)).rejects.toMatchObject({ code: 'model_late', reason: 'late' });
  });
});

describe('a child that cannot start', () => {
  test('says why, and the start fails', async () => {
    const fatal = { code: 'bundle_invalid', message: 'backbone.onnx is cut', remedy: 'Copy it.' };
    const { child } = childOf({ fatal });
    await expect(child.start()).rejects.toMatchObject(fatal);
  });

  test.each([
    ['exits', { exitAtOnce: true }, /ended with code 3: no disk/],
    ['is of another bundle', { hello: { bundleSha256: 'def' } }, /bundle def, not abc/],
    ['speaks another protocol', { hello: { protocol: 99 } }, /protocol 99/],
    ['has another role', { hello: { role: 'reasoner' } }, /it is a reasoner/],
  ])('because it %s fails after a few attempts', async (_, orders, why) => {
    const { child } = childOf(orders);
    await expect(child.start()).rejects.toMatchObject({
      code: 'model_lost',
      message: expect.stringMatching(why) as string,
    });
  });

  test('because it says nothing fails too', async () => {
    const { child } = childOf({ silent: true }, { startMs: 150 });
    await expect(child.start()).rejects.toMatchObject({
      message: expect.stringMatching(/no hello for 150 ms/) as string,
    });
  });
});

describe('closing', () => {
  const sockets = () => readdirSync(tmpdir()).filter((name) => name.startsWith('lookahead-'));

  test.each(['idle', 'hang'])('leaves no child and no socket file: %s', async (camera) => {
    const before = new Set(sockets());
    const { child, ask } = childOf();
    await child.start();
    const mine = sockets().filter((name) => !before.has(name));
    const { pid } = child;
    const asked = ask(camera);
    if (camera === 'idle') await asked;
    const answer = asked.catch((error: unknown) => error);
    await child.close();
    if (camera === 'hang') expect(await answer).toMatchObject({ code: 'model_lost' });
    expect(alive(pid)).toBe(false);
    // Other tests make folders of the same name at the same time; ours is among those that were new.
    expect(mine.some((name) => !existsSync(`${tmpdir()}/${name}`))).toBe(true);
    await expect(ask('a')).rejects.toMatchObject({ code: 'model_lost' });
  });
});
