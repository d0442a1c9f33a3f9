/** What the quality page works out by itself. */
import { describe, expect, it } from 'vitest';
import type { Score } from '../../src/messages.js';
import { ScoreSums } from '../../src/outcomes/score-sums.js';
import { newestScore, readQuality } from '../../src/sinks/dashboard/read-quality.js';
import type { StoredMessage, StoredReader } from '../../src/sinks/dashboard/read-history.js';
import { equalMassBins, pairsOf } from '../../src/sinks/dashboard/reliability.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const never = { signal: new AbortController().signal };

describe('reliability', () => {
  it('has bins of as many pairs each, with the mean chance and the share that came', () => {
    const pairs = Array.from({ length: 300 }, (_, index) => ({
      chance: index / 300,
      came: index % 3 === 0,
    }));
    const bins = equalMassBins(pairs);
    expect(bins).toHaveLength(15);
    expect(bins.every((bin) => bin.pairs === 20)).toBe(true);
    expect(bins[0]!.said).toBeCloseTo(9.5 / 300, 10);
    expect(bins[3]!.came).toBeCloseTo(7 / 20, 1);
    expect(bins.every(({ low, came, high }) => low < came && came < high)).toBe(true);
  });

  it('has fewer bins where there are few pairs, and none where a share would say nothing', () => {
    const pairs = (count: number) =>
      Array.from({ length: count }, () => ({ chance: 0.5, came: true }));
    expect(equalMassBins(pairs(19))).toEqual([]);
    expect(equalMassBins(pairs(59)).map((bin) => bin.pairs)).toEqual([29, 30]);
  });

  it('counts the named answers and nothing, of outcomes that claim to be true', () => {
    const said = drawnOutcome(drawing(1), 1_000);
    const { events, nothing } = said.answers!;
    expect(pairsOf([said])).toEqual(
      [...events, { label: 'nothing', confidence: nothing }].map(({ label, confidence }) => ({
        chance: confidence,
        came: label === said.observed,
      })),
    );
    expect(pairsOf([{ ...said, calibrated: false }, undecidableOutcome(5)])).toEqual([]);
  });
});

/** One stream of each kind; every message is of the one camera. */
function stored(kinds: Readonly<Record<string, readonly { atMs: number; value: unknown }[]>>) {
  const of = (stream: string): readonly StoredMessage[] =>
    (kinds[stream.split('_').at(-1)!] ?? []).map((message, index) => ({
      sequence: index + 1,
      ...message,
    }));
  const reader: StoredReader = {
    last: (stream) => Promise.resolve(of(stream).at(-1)),
    next: (stream, sequence) => Promise.resolve(of(stream)[Math.max(1, sequence) - 1]),
  };
  return reader;
}

function score(at: number, target: Score['target']): Score {
  const marks = new ScoreSums().score(0);
  return {
    schema: 'lookahead.score.v1',
    site: 'test',
    camera: 'gate',
    at: new Date(at).toISOString(),
    target,
    periods: { hour: marks, day: marks, week: marks },
    recalibration: null,
    drift: null,
    bundle: { name: 'yard', version: '0.1.0', sha256: 'a'.repeat(64) },
  };
}

describe('what is read', () => {
  it('is the newest score of the usual target, behind those of the other', async () => {
    const scores = [score(1_000, 'next'), score(2_000, 'next'), score(2_000, 'within')].map(
      (value, index) => ({ atMs: index, value }),
    );
    const found = await newestScore(stored({ score: scores }), 'test', 'gate', never);
    expect(found).toEqual(score(2_000, 'next'));
    expect(await newestScore(stored({}), 'test', 'gate', never)).toBeUndefined();
  });

  it('is every outcome of the period where they are few, and says what they add up to', async () => {
    const draw = drawing(3);
    const nowMs = 10_000_000;
    const outcomes = Array.from({ length: 400 }, (_, index) => {
      const atMs = nowMs - (400 - index) * 18_000;
      return { atMs, value: drawnOutcome(draw, atMs) };
    });
    const within = { atMs: nowMs, value: { ...drawnOutcome(draw, nowMs), target: 'within' } };
    const reader = stored({ outcome: [...outcomes, within] });
    const quality = await readQuality(reader, 'test', 'gate', 'hour', nowMs, never);
    // 200 fit into the hour.
    expect(quality).toMatchObject({ decided: 200, isSample: false, pairs: 800, points: [] });
    const hits = outcomes.slice(-200).filter(({ value }) => value.verdict === 'hit');
    const events = hits.filter(({ value }) => value.observed !== 'nothing').length;
    expect(quality.leads.reduce((sum, row) => sum + row.hits, 0)).toBe(events);
  });

  it('is a sample spread over the period where they are many', async () => {
    const draw = drawing(4);
    const nowMs = 100_000_000;
    const outcomes = Array.from({ length: 9_000 }, (_, index) => {
      const atMs = nowMs - (9_000 - index) * 9_000;
      return { atMs, value: drawnOutcome(draw, atMs) };
    });
    let read = 0;
    const onRead = (): number => (read += 1);
    const reader = stored({ outcome: outcomes });
    const reading = { ...never, onRead };
    const quality = await readQuality(reader, 'test', 'gate', 'day', nowMs, reading);
    expect(quality).toMatchObject({ decided: 1_500, isSample: true });
    expect(read).toBe(1_500);
  });
});
