/** Rolling scores of a running engine: messages, metrics and the console's line; rebuilt from a real nats-server. */
import { Subject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CameraSet } from '../../src/camera-set.js';
import type { CameraSource } from '../../src/camera-source.js';
import { Closers } from '../../src/closers.js';
import { createConsole, scoreLine, scoreLinePeriodMs, type Output } from '../../src/console.js';
import { ScoreSchema, type Message, type Outcome, type Score } from '../../src/messages.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { countOutcome, setScores } from '../../src/metrics/scores.js';
import { scoreMessage } from '../../src/outcomes/score-message.js';
import { Scoreboard } from '../../src/outcomes/scoreboard.js';
import { resumeOutcomes } from '../../src/resume.js';
import { scoreCameras, type Scores, type Scoring } from '../../src/scores-of-cameras.js';
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const nowMs = Date.UTC(2026, 10, 22, 9);
const bundle = { name: 'yard', version: '1', sha256: '0'.repeat(64) };
const metricsForTest = () => createMetrics({ processMetrics: false });

function scoreOf(outcomes: readonly Outcome[], atMs = nowMs, target: Score['target'] = 'next') {
  const board = new Scoreboard();
  for (const outcome of outcomes) board.add(outcome);
  const facts = { site: 'test', bundle, recalibration: null, drift: null };
  return scoreMessage(board, { camera: 'gate', target }, facts, atMs);
}

describe('the metrics', () => {
  it('say the marks by camera, target and period, and NaN where there is nothing to say it from', async () => {
    const metrics = metricsForTest();
    const board = new Scoreboard();
    const draw = drawing(2);
    for (let index = 0; index < 300; index++) board.add(drawnOutcome(draw, nowMs - index * 20_000));
    board.add(undecidableOutcome(nowMs));
    board.add(undecidableOutcome(nowMs, { target: 'within' }));
    setScores(metrics, board, nowMs);
    const { hour, day } = board.periods('gate', 'next', nowMs);
    const text = await metrics.text();
    const of = (target: string, period: string): string =>
      `camera="gate",target="${target}",period="${period}"`;
    for (const line of [
      `lookahead_score_outcomes{${of('next', 'day')}} 300`,
      `lookahead_score_undecidable_ratio{${of('next', 'day')}} ${1 / 301}`,
      `lookahead_score_hit_ratio{${of('next', 'hour')}} ${hour.hitRate!}`,
      `lookahead_score_brier{${of('next', 'day')}} ${day.brier!}`,
      `lookahead_score_calibration_error{${of('next', 'day')}} ${day.calibrationError!}`,
      `lookahead_score_skill{${of('next', 'day')},baseline="base_rate"} ${day.skillOverBaseRate!}`,
      `lookahead_score_skill{${of('next', 'hour')},baseline="persistence"} ${hour.skillOverPersistence!}`,
      `lookahead_score_hit_ratio{${of('within', 'week')}} Nan`,
      `lookahead_score_undecidable_ratio{${of('within', 'week')}} 1`,
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('count labels and lead times as outcomes come, but not of what no score counts', async () => {
    const metrics = metricsForTest();
    const hit: Partial<Outcome> = {
      verdict: 'hit',
      observed: 'van enters',
      predicted: 'van enters',
      leadMs: 1_840,
    };
    const one = (more: Partial<Outcome>): Outcome => drawnOutcome(drawing(1), nowMs, more);
    countOutcome(metrics, one(hit));
    countOutcome(metrics, one({ ...hit, verdict: 'miss', observed: 'gate opens' }));
    const both: Partial<Outcome> = { target: 'within', began: ['dog leaves', 'van enters'] };
    countOutcome(metrics, one({ ...hit, ...both, observed: 'dog leaves' }));
    countOutcome(metrics, one({ ...hit, calibrated: false }));
    countOutcome(metrics, undecidableOutcome(nowMs));
    const text = await metrics.text();
    for (const line of [
      'lookahead_label_observed_total{camera="gate",target="next",label="van enters"} 1',
      'lookahead_label_observed_total{camera="gate",target="next",label="gate opens"} 1',
      'lookahead_label_predicted_total{camera="gate",target="next",label="van enters"} 2',
      'lookahead_label_hits_total{camera="gate",target="next",label="van enters"} 1',
      'lookahead_label_observed_total{camera="gate",target="within",label="dog leaves"} 1',
      'lookahead_label_hits_total{camera="gate",target="within",label="van enters"} 1',
      'lookahead_lead_seconds_bucket{le="2",camera="gate",target="next"} 1',
      'lookahead_lead_seconds_bucket{le="1.5",camera="gate",target="next"} 0',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).not.toContain('lookahead_lead_seconds_count{camera="gate",target="within"}');
  });
});

describe('the console', () => {
  const outcomes = Array.from({ length: 40 }, (_, index) =>
    drawnOutcome(drawing(index + 1), nowMs - index * 60_000),
  );

  it('says the last hour in one line', () => {
    const score = scoreOf(outcomes);
    const { hour } = score.periods;
    const said = { ...hour, outcomes: 1_704, undecidable: 12, hitRate: 0.62, brier: 0.31 };
    const skills = { skillOverBaseRate: 0.41, skillOverPersistence: 0.48 };
    expect(
      scoreLine({ ...score, periods: { ...score.periods, hour: { ...said, ...skills } } }),
    ).toBe(
      'score: last hour 62 % hits, skill 0.41 over base rate, 0.48 over persistence, Brier 0.31 (1,704 outcomes, 12 undecidable)',
    );
  });

  it('says what cannot be said by leaving it out, and whose score it is', () => {
    const blind = [undecidableOutcome(nowMs), undecidableOutcome(nowMs - 1)];
    expect(scoreLine(scoreOf(blind))).toBe(
      'score: last hour nothing could be decided (0 outcomes, 2 undecidable)',
    );
    const alone = { ...outcomes[0]!, target: 'within' as const, baselines: null };
    const unsure = { ...outcomes[1]!, target: 'within' as const, calibrated: false };
    expect(scoreLine(scoreOf([alone, unsure], nowMs, 'within'))).toMatch(
      /^score of within: last hour (100|0) % hits, Brier \d\.\d\d \(1 outcome, 0 undecidable, 1 uncalibrated\)$/,
    );
  });

  it('prints it for each camera and target once in ten minutes', () => {
    const lines: string[] = [];
    const out: Output = { write: (text: string) => lines.push(text), on: () => undefined };
    const printed = createConsole({ out, err: out, env: {}, level: 'info', cameras: ['gate'] });
    for (let minute = 0; minute <= 20; minute++)
      printed.message(scoreOf(outcomes, nowMs + minute * 60_000), null);
    printed.message(scoreOf(outcomes, nowMs, 'within'), null);
    expect(scoreLinePeriodMs).toBe(600_000);
    expect(lines.map((line) => /^gate {2}(score[^:]*)/.exec(line)?.[1])).toEqual([
      'score',
      'score',
      'score',
      'score of within',
    ]);
  });
});

describe('a running engine', () => {
  async function busFor(server: TestNatsServer): Promise<Bus> {
    const limits = { reconnectMs: 50, connectTimeoutMs: 1_000 };
    const bus = await connectBus({ servers: [server.url], site: 'test', limits });
    onTestFinished(() => bus.close(0));
    return bus;
  }

  function engineOn(bus: Scoring['bus'], more: Partial<Scoring> = {}) {
    const [closers, messages, metrics] = [new Closers(), new Subject<Message>(), metricsForTest()];
    const [told, failed] = [[] as Message[], [] as unknown[]];
    const cameras = new CameraSet(['gate', 'yard'].map(sourceOf));
    onTestFinished(() => closers.close());
    const scores = scoreCameras({
      config: { site: 'test' } as Scoring['config'],
      console: { message: (message) => told.push(message), state: () => {}, log: () => {} },
      onFatal: (error) => failed.push(error),
      bus,
      models: { bundle: { manifest: { name: 'yard', version: '1' }, sha256: '0'.repeat(64) } },
      ...{ metrics, cameras, messages, closers, periodMs: 50, ...more },
    });
    const counted = (camera: string): number =>
      scores.board.periods(camera, 'next', Date.now()).week.outcomes;
    return { closers, messages, metrics, cameras, scores, told, failed, counted };
  }
  const sourceOf = (name: string): CameraSource => ({
    ...{ name, origin: 'api', host: null },
    url: () => Promise.resolve(''),
  });
  /** As a camera does that takes up what earlier runs left. */
  const resume = (bus: Bus, camera: string, scores: Scores): Promise<number> =>
    resumeOutcomes(bus, {
      ...{ cameras: [camera], labels: [], epoch: 2, slackMs: 0, now: Date.now },
      ...{ isDoubtful: () => false, onEvent: () => undefined, onOutcome: scores.remember },
      ...{ publish: () => Promise.resolve(), signal: new AbortController().signal, retryMs: 50 },
    });
  const until = (condition: () => unknown): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 30_000, interval: 20 });
  const draw = drawing(9);
  const agoOutcome = (index: number, more: Partial<Outcome> = {}): Outcome => ({
    ...drawnOutcome(draw, Date.now() - 3_600_000 - index * 1_000, more),
    id: `test-${more.camera ?? 'gate'}-1-${index}`,
  });

  it('counts what it was told before it was restarted, and what it is told now, each once', async () => {
    const server = await natsServerForTest();
    const before = await busFor(server);
    await before.ready(10_000);
    const old = Array.from({ length: 300 }, (_, index) => agoOutcome(index));
    const others = [
      agoOutcome(1, { camera: 'removed' }),
      agoOutcome(1, { camera: 'yard' }),
      agoOutcome(2, { camera: 'yard', bundle: { ...bundle, sha256: '1'.repeat(64) } }),
    ];
    await Promise.all([...old, ...others].map((outcome) => before.publish(outcome)));
    await before.close();
    await server.kill();

    // The broker is away at the start: cameras are watched, and what was stored is counted when it is there.
    const bus = await busFor(server);
    const { messages, scores, cameras, counted, told, failed, metrics } = engineOn(bus);
    const resuming = Promise.all(['gate', 'yard'].map((camera) => resume(bus, camera, scores)));
    const live = drawnOutcome(draw, Date.now(), { id: 'test-gate-2-0' });
    messages.next(live);
    void bus.publish(live);
    expect(counted('gate')).toBe(1);
    await server.start();
    await resuming;
    expect(counted('gate')).toBe(301);
    expect([counted('yard'), counted('removed')]).toEqual([1, 0]);
    expect(await metrics.text()).toContain(
      'lookahead_score_outcomes{camera="gate",target="next",period="week"} 301',
    );

    messages.next(drawnOutcome(draw, Date.now()));
    await until(() => told.length >= 2);
    const said = told.map((message) => ScoreSchema.parse(message));
    expect(said.at(-1)).toMatchObject({
      camera: 'gate',
      target: 'next',
      bundle: { name: 'yard' },
    });
    await until(async () => (await bus.last('score', 'gate')).length === 1);
    const [stored] = await bus.last('score', 'gate');
    expect(stored?.subject).toBe('lookahead.v1.test.gate.score');
    expect(failed).toEqual([]);

    scores.begin();
    expect([counted('gate'), counted('yard')], 'another bundle').toEqual([0, 0]);
    await resume(bus, 'yard', scores);
    cameras.remove('yard');
    expect(counted('yard'), 'a camera that is gone').toBe(0);
  });

  it('says what is in force on the camera, of its usual forecasts alone', async () => {
    const recalibration = { version: 3, temperature: 1.1, nothingBias: -0.2 };
    const drift = { since: '2026-11-22T09:00:00.000Z', recent: 0.1, usual: 0.4 };
    const bus: Scoring['bus'] = {
      publish: () => Promise.resolve({ ackedAtMs: 0 }),
    };
    const { messages, told } = engineOn(bus, {
      recalibrations: { of: () => recalibration, driftOf: () => drift },
    });
    messages.next(drawnOutcome(draw, Date.now()));
    messages.next(drawnOutcome(draw, Date.now(), { target: 'within' }));
    await until(() => told.length === 2);
    expect(told).toMatchObject([
      { target: 'next', recalibration, drift },
      { target: 'within', recalibration: null, drift: null },
    ]);
  });

  it('says no score of a camera that was removed meanwhile', async () => {
    const bus = { publish: vi.fn(() => Promise.resolve({ ackedAtMs: 0 })) };
    const { messages, cameras, told } = engineOn(bus);
    messages.next(drawnOutcome(draw, Date.now()));
    messages.next(drawnOutcome(draw, Date.now(), { camera: 'yard' }));
    cameras.remove('gate');
    await until(() => told.length === 1);
    expect(told).toMatchObject([{ camera: 'yard' }]);
    expect(bus.publish).toHaveBeenCalledOnce();
  });
});
