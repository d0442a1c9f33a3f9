import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  gatherWindows,
  ringClipsOf,
  type Gathered,
  type GatherOptions,
  type Sight,
} from '../../src/harvest/gather-windows.js';
import type { Forecast, Outcome } from '../../src/messages.js';
import { fakeClip, fakeScene } from '../support/fakes.js';
import * as messages from '../support/messages.js';

/** As the fakes: two frames of 10 ms a clip, three clips a window, a horizon of two clips. */
const geometry = { framesPerClip: 2, framesPerSecond: 100, clipsPerWindow: 3, horizonMs: 40 };

/** Clip and scene of a number, as the pipeline shows them. */
const seen = (index: number): Sight[] => [clip(index), scene(index)];
const clip = (index: number): Sight => ({ kind: 'clip', clip: fakeClip(index) });
const scene = (index: number): Sight => ({ kind: 'scene', scene: fakeScene(index) });

const said = (message: Forecast | Outcome): Sight => ({ kind: 'message', message });

/** Of the window whose last clip is so many; surprising. */
function told(last: number, change: Partial<Outcome> = {}): [Sight, Sight] {
  const base = messages.forecast(last);
  const to = new Date(fakeClip(last).toMs).toISOString();
  const forecast = { ...base, window: { ...base.window, to } };
  const outcome = messages.outcome(last, { verdict: 'surprise', logScore: 4, ...change });
  return [said(forecast), said(outcome)];
}

async function gather(
  sights: readonly Sight[],
  change: Partial<GatherOptions> = {},
): Promise<{ gathered: Gathered[]; drops: string[] }> {
  const drops: string[] = [];
  const options = {
    ...geometry,
    ...{ surpriseMin: 3, doubtMin: 0.8, gapMaxMs: 15, everyMinMs: 0, forecastsMax: 4 },
    onDrop: (reason: string) => void drops.push(reason),
    ...change,
  };
  const gathered = await lastValueFrom(from(sights).pipe(gatherWindows(options), toArray()), {
    defaultValue: [],
  });
  return { gathered, drops };
}

const upTo = (last: number, first = 0): Sight[] =>
  Array.from({ length: last - first + 1 }, (_, at) => seen(first + at)).flat();

describe('of a surprising window', () => {
  it('the clips of window and horizon come out, with their scenes, in order', async () => {
    const [forecast, outcome] = told(4);
    const { gathered, drops } = await gather([
      ...upTo(4),
      forecast,
      ...upTo(7, 5),
      outcome,
      ...seen(8),
    ]);
    expect(drops).toEqual([]);
    expect(gathered).toHaveLength(1);
    const { clips, scenes, windowClips, why } = gathered[0]!;
    expect(clips.map(({ index }) => index)).toEqual([2, 3, 4, 5, 6]);
    expect(scenes.map((one) => one.clip)).toEqual([2, 3, 4, 5, 6]);
    expect(windowClips).toBe(3);
    expect(why).toEqual(['surprise', 'improbable']);
  });

  it.each<[string, Sight[]]>([
    ['a clip of the window was never seen', [...upTo(2), ...upTo(4, 4)]],
    ['a clip was given up before a model saw it', [...upTo(2), clip(3), ...seen(4)]],
    ['the window began before the camera', upTo(4, 3)],
  ])('nothing comes where %s', async (_, before) => {
    const [forecast, outcome] = told(4);
    const { gathered, drops } = await gather([...before, forecast, ...upTo(6, 5), outcome]);
    expect(gathered).toEqual([]);
    expect(drops).toEqual(['gap']);
  });

  it('nothing comes where the horizon is not whole', async () => {
    const [forecast, outcome] = told(4);
    const { drops } = await gather([...upTo(4), forecast, ...seen(5), outcome]);
    expect(drops).toEqual(['gap']);
  });

  it('nothing comes where time has passed between two clips', async () => {
    const late: Sight[] = [5, 6].flatMap((index) => [
      { kind: 'clip', clip: { ...fakeClip(index), fromMs: index * 20 + 6, toMs: index * 20 + 16 } },
      scene(index),
    ]);
    const [forecast, outcome] = told(4);
    expect((await gather([...upTo(4), forecast, ...late, outcome])).drops).toEqual(['gap']);
  });

  it('nothing comes where a number is missing between two clips, however near they are', async () => {
    const later: Sight[] = [5, 6].flatMap((index) => [
      { kind: 'clip', clip: { ...fakeClip(index), index: index + 1 } },
      scene(index + 1),
    ]);
    const [forecast, outcome] = told(4);
    expect((await gather([...upTo(4), forecast, ...later, outcome])).drops).toEqual(['gap']);
  });

  it('it is too late where its pictures are no longer remembered', async () => {
    const [forecast, outcome] = told(4);
    const inTime = [...upTo(4), forecast, ...upTo(6 + 8, 5), outcome];
    expect((await gather(inTime)).gathered).toHaveLength(1);
    const late = [...upTo(4), forecast, ...upTo(6 + 9, 5), outcome];
    expect((await gather(late)).drops).toEqual(['gap']);
  });
});

describe('what is no reason to keep anything', () => {
  it('an outcome that was expected', async () => {
    const [forecast, outcome] = told(4, { verdict: 'hit', logScore: 0.5 });
    const { gathered, drops } = await gather([...upTo(4), forecast, ...upTo(6, 5), outcome]);
    expect([gathered, drops]).toEqual([[], []]);
  });

  it('one of the target within, or of a forecast of before', async () => {
    const [forecast, outcome] = told(4, { target: 'within' });
    const [, other] = told(5);
    const { gathered, drops } = await gather([
      ...[...upTo(4), forecast, ...upTo(6, 5)],
      ...[outcome, other],
    ]);
    expect([gathered, drops]).toEqual([[], []]);
  });

  it('a forecast that was pushed out by newer ones', async () => {
    const [first, outcome] = told(4);
    const newer = [5, 6, 7, 8].map((last) => told(last)[0]);
    const { gathered } = await gather([...upTo(4), first, ...newer, ...upTo(6, 5), outcome]);
    expect(gathered).toEqual([]);
  });
});

it('of one camera no more are kept than every so often', async () => {
  const all = [4, 5, 6, 9].map((last) => told(last));
  const sights = [
    ...upTo(9),
    ...all.map(([forecast]) => forecast),
    ...upTo(11, 10),
    ...all.map(([, outcome]) => outcome),
  ];
  const { gathered, drops } = await gather(sights, { everyMinMs: 40 });
  expect(gathered.map(({ forecast }) => forecast.sequence)).toEqual([4, 6, 9]);
  expect(drops).toEqual(['soon']);
});

it('what is remembered has a bound', () => {
  const options = { ...geometry, surpriseMin: 3, doubtMin: 0.8, gapMaxMs: 15, everyMinMs: 0 };
  expect(ringClipsOf({ ...options, forecastsMax: 4, onDrop: () => {} })).toBe(3 + 2 + 8);
});
