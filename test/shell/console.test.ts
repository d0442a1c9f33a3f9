import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  answersOf,
  createConsole,
  forecastLine,
  outcomeLine,
  paintFor,
  percent,
  Tally,
  whyLine,
  type Output,
} from '../../src/console.js';
import type { Forecast, Outcome } from '../../src/messages.js';

const event = (label: string, confidence: number): Forecast['events'][number] => ({
  label,
  type: 'enters',
  actor: null,
  target: null,
  actors: [],
  targetTracks: [],
  text: label,
  justification: '',
  confidence,
  rawConfidence: confidence,
});

const forecast = (more: Partial<Forecast> = {}): Forecast => ({
  schema: 'lookahead.forecast.v1',
  id: 'home-gate-1-0',
  site: 'home',
  camera: 'gate',
  epoch: 1,
  sequence: 0,
  rev: 0,
  target: 'next',
  window: {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-01T00:00:08.000Z',
    clips: 8,
    frames: 64,
    framesDropped: 0,
    clock: 'arrival',
  },
  horizonMs: 4000,
  issuedAt: '2026-01-01T00:00:08.500Z',
  validUntil: '2026-01-01T00:00:12.000Z',
  events: [event('van enters', 0.62), event('gate opens', 0.21), event('person leaves', 0.05)],
  somethingElse: 0.03,
  nothing: 0.09,
  explanation: [],
  calibrated: true,
  familiarity: 0.8,
  quality: 'good',
  latencyMs: {},
  bundle: { name: 'yard', version: '1', sha256: '0'.repeat(64) },
  ...more,
});

const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  schema: 'lookahead.outcome.v1',
  id: 'home-gate-1-0',
  site: 'home',
  camera: 'gate',
  verdict: 'hit',
  observed: 'van enters',
  predicted: 'van enters',
  onset: '2026-01-01T00:00:10.300Z',
  onsetAfterMs: 2300,
  leadMs: 1800,
  brier: 0.1,
  logScore: 0.4,
  baseRateHit: false,
  decidedAt: '2026-01-01T00:00:12.000Z',
  ...more,
});

class Recorder extends EventEmitter implements Output {
  text = '';
  readonly isTTY = false;
  write(text: string): void {
    this.text += text;
  }
}

function consoleForTest(onClosed?: () => void) {
  const out = new Recorder();
  const err = new Recorder();
  const view = createConsole({
    out,
    err,
    env: {},
    level: 'info',
    cameras: ['gate', 'backdoor'],
    ...(onClosed === undefined ? {} : { onClosed }),
  });
  return { out, err, view };
}

describe('a forecast', () => {
  it('shows the three most probable answers, "nothing" where it ranks', () => {
    expect(forecastLine(forecast(), 800)).toBe(
      'van enters 62 % · gate opens 21 % · nothing 9 %   lag 0.8 s',
    );
  });

  it('leaves "nothing" out where three events are more probable', () => {
    expect(answersOf(forecast({ nothing: 0.01 })).map(({ text }) => text)).not.toContain('nothing');
  });

  it('never prints a chance as certain', () => {
    expect([1, 0.995, 0, 0.004, 0.5].map(percent)).toEqual([
      '>99 %',
      '>99 %',
      '<1 %',
      '<1 %',
      '50 %',
    ]);
  });

  it('lets no model move the cursor', () => {
    const evil = forecast({
      events: [event('\x1b[2Jvan\nroot# ', 0.9), event('b', 0), event('c', 0)],
    });
    // eslint-disable-next-line no-control-regex -- That they are gone is what is tested.
    expect(forecastLine(evil, 0)).not.toMatch(/[\x00-\x1f]/);
  });

  it('says it again when a picture that was familiar is not any more', () => {
    const { err, view } = consoleForTest();
    for (const calibrated of [false, false, true, false]) view.message(forecast({ calibrated }), 0);
    expect(err.text.match(/unlike anything/g)).toHaveLength(2);
  });

  it('calls a frozen or flat picture corrupt, not unfamiliar', () => {
    const { out, err, view } = consoleForTest();
    view.message(forecast({ calibrated: false, quality: 'corrupt' }), 800);
    view.message(outcome(), 0);
    expect(err.text).toBe('');
    expect(out.text).toContain('(corrupt picture: not scored)');
    view.message(forecast({ calibrated: false }), 800);
    expect(err.text).toContain('unlike anything');
  });

  it('tells missing clips from an unfamiliar picture, and a forecast that came too late', () => {
    const { out, err, view } = consoleForTest();
    view.message(forecast({ calibrated: false, quality: 'gaps' }), 800);
    view.message(forecast({ calibrated: false, quality: 'gaps' }), 4100);
    view.message(forecast({ calibrated: false }), 800);
    expect(err.text.split('\n')).toEqual([
      expect.stringContaining('clips are missing or late'),
      expect.stringContaining('unlike anything'),
      '',
    ]);
    expect(out.text.match(/too late/g)).toHaveLength(1);
    expect(out.text).toContain('lag 4.1 s, too late');
  });

  it('says once in plain words that a picture is unfamiliar', () => {
    const { err, view } = consoleForTest();
    view.message(forecast({ calibrated: false }), 800);
    view.message(forecast({ calibrated: false }), 800);
    expect(err.text).toBe(
      'warn: gate: this picture is unlike anything the bundle was trained on; its chances are not calibrated.\n',
    );
  });

  it('says what was carried', () => {
    expect(forecastLine(forecast({ basis: 'carried' }), 800)).toMatch(/ {3}lag 0\.8 s, carried$/);
    expect(forecastLine(forecast({ basis: 'carried' }), null)).toMatch(/9 % {3}carried$/);
    expect(forecastLine(forecast(), null)).toMatch(/9 %$/);
  });

  const step = (text: string, verified: boolean): Forecast['explanation'][number] => ({
    text,
    verified,
    evidence: { tracks: [], from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:08.000Z' },
  });

  it('is told once; its revision tells the reasons alone', () => {
    const { out, view } = consoleForTest();
    view.message(forecast(), 800);
    const explanation = [
      step('the van stops at the gate .', true),
      step('the gate opens , because the van stops .', false),
    ];
    view.message(forecast({ rev: 1, explanation }), 1_200);
    view.message(forecast({ rev: 1 }), 1_200);
    expect(out.text.trimEnd().split('\n').slice(1)).toEqual([
      'gate      why: the van stops at the gate; the gate opens, because the van stops (unverified)',
    ]);
  });

  it('gives the reason of its likeliest event where there are no steps, and says when it is habit', () => {
    const [first, ...others] = forecast().events;
    const because = { justification: 'because it slows down .', justificationVerified: true };
    const revised = forecast({
      rev: 1,
      grounded: false,
      events: [{ ...first!, ...because }, ...others],
    });
    expect(whyLine(revised)).toBe(
      'why: van enters, because it slows down (by habit: the picture hardly counted)',
    );
    expect(whyLine(forecast())).toBeNull();
  });

  it('stands in columns', () => {
    const { out, view } = consoleForTest();
    view.message(forecast(), 800);
    view.message(forecast({ camera: 'backdoor' }), 800);
    expect(out.text.split('\n').map((line) => line.indexOf('van'))).toEqual([10, 10, -1]);
  });
});

describe('an outcome', () => {
  it('gets a tick and the score beside the base rate', () => {
    const tally = new Tally();
    for (let i = 0; i < 30; i++) {
      tally.add(outcome({ verdict: i < 16 ? 'miss' : 'hit', baseRateHit: i >= 23 }));
    }
    expect(outcomeLine(outcome(), tally)).toBe(
      '✓ van enters after 2.3 s   (14 of 20; base rate 7 of 20)',
    );
  });

  it('gets a cross that says what happened and what was said', () => {
    const tally = new Tally();
    const missed = outcome({ verdict: 'miss', observed: 'gate opens' });
    tally.add(missed);
    expect(outcomeLine(missed, tally)).toBe(
      '✗ gate opens after 2.3 s, not van enters   (0 of 1; base rate 0 of 1)',
    );
    const quiet = outcome({ verdict: 'surprise', observed: 'nothing', onsetAfterMs: null });
    expect(outcomeLine(quiet, tally)).toMatch(/^✗ nothing happened, not van enters/);
  });

  it('on an unfamiliar picture is shown, but proves nothing', () => {
    const { out, view } = consoleForTest();
    view.message(forecast({ calibrated: false }), 800);
    view.message(outcome(), 0);
    expect(out.text).toContain('✓ van enters after 2.3 s   (unfamiliar picture: not scored)');
    view.message(forecast(), 800);
    view.message(outcome(), 0);
    expect(out.text).toContain('(1 of 1; base rate 0 of 1)');
  });

  it('that cannot be decided neither counts nor shows', () => {
    const { out, view } = consoleForTest();
    view.message(outcome({ verdict: 'undecidable', observed: null }), 0);
    view.message(outcome(), 0);
    expect(out.text).toContain('(1 of 1; base rate 0 of 1)');
    expect(out.text.split('\n')).toHaveLength(2);
  });
});

describe('the terminal', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{}, {}, false],
  ])('%j with %j gets colours: %s', (stream, env, expected) => {
    expect(paintFor(stream, env).good('x') !== 'x').toBe(expected);
  });

  it('that is closed ends the writing and is told once', () => {
    let closed = 0;
    const { out, view } = consoleForTest(() => closed++);
    const error: NodeJS.ErrnoException = new Error('write EPIPE');
    error.code = 'EPIPE';
    out.emit('error', error);
    out.emit('error', error);
    view.message(forecast(), 800);
    expect([closed, out.text]).toEqual([1, '']);
  });

  it('gets no line below the level', () => {
    const { err, view } = consoleForTest();
    view.log('debug', 'x');
    view.log('info', 'y');
    expect(err.text).toBe('y\n');
  });
});
