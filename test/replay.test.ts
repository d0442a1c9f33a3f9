import { lastValueFrom, take, toArray, type Observable } from 'rxjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { kindOf, type Message } from '../src/messages.js';
import { defaultGate } from '../src/pipeline-config.js';
import { replayRecording, type ReplayPorts } from '../src/replay.js';
import type { Frame } from '../src/types.js';
import {
  fakeCarried,
  fakeConfig,
  fakeEvent,
  fakeExplanation,
  fakeFrame,
  fakeReasoning,
  recordReport,
  sceneOf,
} from './support/fakes.js';

/** A recording of so many frames; tells whether it was closed. */
function recording(count: number) {
  const state = { isClosed: false, taken: 0 };
  async function* read(): AsyncGenerator<Frame> {
    try {
      for (; state.taken < count; state.taken += 1) {
        await Promise.resolve();
        yield fakeFrame(state.taken * 10);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, frames: { [Symbol.asyncIterator]: read } };
}

/** Models that take between 0 and 4 ms by turns, and say so, as real ones do. */
function slowModels(): ReplayPorts & { report: ReturnType<typeof recordReport> } {
  let calls = 0;
  const work = async (): Promise<Record<string, number>> => {
    calls += 1;
    const ms = (calls * 7) % 5;
    await sleep(ms);
    return { model: performance.now() };
  };
  return {
    perceive: async (clip) => {
      const events = clip.index % 3 === 0 ? [fakeEvent(1, clip.fromMs + 5)] : [];
      return { ...sceneOf(clip), events, stagesMs: await work() };
    },
    score: async () => ({ ...fakeReasoning(), stagesMs: await work() }),
    report: recordReport(),
  };
}

const collect = (messages$: Observable<Message>): Promise<Message[]> =>
  lastValueFrom(messages$.pipe(toArray()), { defaultValue: [] });

async function replay(count: number, ports: ReplayPorts = slowModels()): Promise<Message[]> {
  const messages$ = replayRecording('gate', recording(count).frames, fakeConfig(), ports);
  return collect(messages$);
}

describe('replayRecording', () => {
  it('works off every clip, however slow the models are, and ends', async () => {
    const ports = slowModels();
    const messages = await replay(41, ports);
    const count = (kind: string): number =>
      messages.filter((message) => kindOf(message) === kind).length;
    expect(count('scene')).toBe(20);
    expect(count('event')).toBe(7);
    expect(count('forecast')).toBe(18);
    expect(count('outcome')).toBe(18);
    expect(ports.report.lines).toEqual([
      'connecting: Opening the camera.',
      'online: Pictures arrive.',
      'ingest dropped 1: gap',
      'offline: The recording has ended.',
    ]);
  });

  it('gives equal messages in every run', async () => {
    const [one, other] = [await replay(40), await replay(40)];
    expect(one.length).toBeGreaterThan(50);
    expect(JSON.stringify(other)).toBe(JSON.stringify(one));
  });

  it('explains every forecast that calls for it before it goes on, and gives equal messages then too', async () => {
    let calls = 0;
    const explaining = (): ReplayPorts => ({
      ...slowModels(),
      carry: async () => {
        await sleep(1);
        return fakeCarried();
      },
      score: async () => {
        await sleep(1);
        const van = 0.3 + 0.2 * (calls++ % 3);
        return fakeReasoning([0.9 - van, van, 0.04, 0.03, 0.02, 0.01]);
      },
      explain: async () => {
        await sleep(7);
        return fakeExplanation();
      },
    });
    const run = async (): Promise<Message[]> => {
      calls = 0;
      const config = fakeConfig({ gate: defaultGate });
      return collect(replayRecording('gate', recording(41).frames, config, explaining()));
    };
    const one = await run();
    const forecasts = one.filter((message) => message.schema === 'lookahead.forecast.v1');
    const told = forecasts.map(({ sequence, rev }) => `${String(sequence)}.${String(rev)}`);
    expect(told.filter((name) => name.endsWith('.1')).length).toBeGreaterThan(3);
    // Each reason right behind its forecast.
    for (const [at, name] of told.entries())
      if (name.endsWith('.1')) expect(told[at - 1]).toBe(name.replace(/1$/, '0'));
    expect(JSON.stringify(await run())).toBe(JSON.stringify(one));
  });

  it('publishes in order, and waits for the sink', async () => {
    const published: Message[] = [];
    const publish: ReplayPorts['publish'] = async (message) => {
      await sleep(published.length % 3);
      published.push(message);
      return { ackedAtMs: 0 };
    };
    const messages = await replay(20, { ...slowModels(), publish });
    expect(published).toEqual(messages);
    expect(messages).toEqual(await replay(20));
  });

  it('one clip that fails is skipped, the next ones are worked off', async () => {
    const models = slowModels();
    const perceive: ReplayPorts['perceive'] = (clip) =>
      clip.index === 2 ? Promise.reject(new Error('broken clip')) : models.perceive(clip);
    const messages = await replay(20, { ...models, perceive });
    const clips = messages.flatMap((message) => ('clip' in message ? [message.clip] : []));
    expect(clips).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('runs in recorded time when asked to', async () => {
    const startedAtMs = performance.now();
    const messages$ = replayRecording('gate', recording(21).frames, fakeConfig(), slowModels(), {
      speed: 1,
    });
    await collect(messages$);
    expect(performance.now() - startedAtMs).toBeGreaterThan(195);
  });

  it('closes the recording when the reader leaves', async () => {
    const { frames, state } = recording(1_000);
    const messages$ = replayRecording('gate', frames, fakeConfig(), slowModels());
    await collect(messages$.pipe(take(10)));
    for (let tries = 0; !state.isClosed && tries < 200; tries += 1) await sleep(5);
    expect(state.isClosed).toBe(true);
    expect(state.taken).toBeLessThan(100);
  });

  it('a recording that cannot be read is an error', async () => {
    // eslint-disable-next-line @typescript-eslint/require-await -- it fails before it could wait
    async function* broken(): AsyncGenerator<Frame> {
      yield fakeFrame(0);
      throw new Error('cannot read');
    }
    const messages$ = replayRecording('gate', broken(), fakeConfig(), slowModels());
    await expect(collect(messages$)).rejects.toThrow('cannot read');
  });
});
