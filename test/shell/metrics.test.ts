import { describe, expect, it } from 'vitest';
import type { BusEvent } from '../../src/sinks/publisher.js';
import { LookaheadError } from '../../src/errors.js';
import { metricList } from '../../src/metrics/list.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { countBusEvent, countMessage, metricsReport } from '../../src/metrics/report.js';
import type { Message } from '../../src/messages.js';
import type { Frame, Scene } from '../../src/types.js';
import { forecast } from '../support/messages.js';

const metricsForTest = () => createMetrics({ processMetrics: false });

describe('the list', () => {
  it('names each metric once, in base units, with help', () => {
    const names = metricList.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, help } of metricList) {
      expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|percent|mib)\b/);
    }
  });

  it('is all that is exposed, besides what prom-client says of the process', async () => {
    const metrics = createMetrics();
    const exposed = (await metrics.text()).matchAll(/^# TYPE (\S+)/gm);
    const foreign = [...exposed]
      .map((match) => match[1]!)
      .filter((name) => !/^(process|nodejs)_/.test(name));
    expect(foreign.sort()).toEqual(metricList.map(({ name }) => name).sort());
    metrics.close();
  });
});

describe('a camera that is gone', () => {
  it('is forgotten whole, and no other with it', async () => {
    const metrics = metricsForTest();
    for (const camera of ['gate', 'yard']) {
      const report = metricsReport(camera, metrics);
      report.frame({} as Frame);
      report.state('offline', 'broken');
      countMessage(metrics, forecast(1, { camera }), Date.now());
    }
    const before = await metrics.text();
    metrics.forget('gate');
    const after = await metrics.text();
    expect(before).toMatch(/lag_seconds_bucket\{le="\+Inf",camera="gate"\} 1/);
    expect(after.split('\n')).toEqual(
      before.split('\n').filter((line) => !line.includes('camera="gate"')),
    );
    expect(after).toContain('lookahead_camera_state{camera="yard",state="offline"} 1');
    metricsReport('gate', metrics).frame({} as Frame);
    expect(await metrics.text()).toContain('lookahead_frames_total{camera="gate"} 1');
  });

  it('is told of again where it is back in the same instant', async () => {
    const metrics = metricsForTest();
    metricsReport('gate', metrics).state('offline', 'removed');
    metrics.observe('lookahead_lag_seconds', { camera: 'gate' }, 1);
    metrics.forget('gate');
    metricsReport('gate', metrics).state('connecting', 'not tried yet');
    metrics.observe('lookahead_lag_seconds', { camera: 'gate' }, 2);
    const text = await metrics.text();
    expect(text).toContain('lookahead_camera_state{camera="gate",state="connecting"} 1');
    expect(text).toContain('lookahead_camera_state{camera="gate",state="offline"} 0');
    expect(text).toContain('lookahead_lag_seconds_sum{camera="gate"} 2');
  });
});

describe('what happens', () => {
  it('becomes numbers, by camera, stage and reason', async () => {
    const metrics = metricsForTest();
    const report = metricsReport('gate', metrics);
    report.frame({} as Frame);
    report.frame({} as Frame);
    report.scene({ familiarity: 0.5, stagesMs: { backbone: 40 } } as unknown as Scene);
    report.dropped('perceive', 'newer', 3);
    report.dropped('explain', 'newer', 1);
    report.decided('event');
    report.failed('reason', new LookaheadError('model_late', 'x', 'y'));
    report.state('connecting', '');
    report.state('online', '');
    const text = await metrics.text();
    for (const line of [
      'lookahead_frames_total{camera="gate"} 2',
      'lookahead_familiarity_ratio{camera="gate"} 0.5',
      'lookahead_stage_duration_seconds_sum{stage="backbone"} 0.04',
      'lookahead_drops_total{camera="gate",stage="perceive",reason="newer"} 3',
      'lookahead_drops_total{camera="gate",stage="explain",reason="newer"} 1',
      'lookahead_explanations_total{camera="gate",result="dropped"} 1',
      'lookahead_gate_total{camera="gate",reason="event"} 1',
      'lookahead_failures_total{camera="gate",stage="reason",code="model_late"} 1',
      'lookahead_connects_total{camera="gate"} 1',
      'lookahead_camera_state{camera="gate",state="online"} 1',
      'lookahead_camera_state{camera="gate",state="connecting"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('counts the lag from the last frame to the acknowledgement', async () => {
    const metrics = metricsForTest();
    const told = {
      schema: 'lookahead.forecast.v1',
      camera: 'gate',
      issuedAt: '2026-01-01T00:00:08.500Z',
      window: { to: '2026-01-01T00:00:08.000Z' },
    } as Message;
    countMessage(metrics, told, Date.parse('2026-01-01T00:00:08.800Z'));
    expect(await metrics.text()).toContain('lookahead_lag_seconds_sum{camera="gate"} 0.8');
  });

  it('counts a forecast once by its basis, and its revision as an explanation alone', async () => {
    const metrics = metricsForTest();
    const first = forecast(1);
    countMessage(metrics, first, Date.parse(first.window.to) + 300);
    countMessage(metrics, forecast(2, { basis: 'carried' }), Date.parse(first.window.to));
    const evidence = { tracks: [], from: first.window.from, to: first.window.to };
    const explanation = [
      { text: 'a', verified: true, evidence },
      { text: 'b', verified: false, evidence },
    ];
    const revised = forecast(1, { rev: 1, explanation });
    countMessage(metrics, revised, Date.parse(first.window.to) + 90_000);
    const text = (await metrics.text()).split('\n');
    for (const line of [
      'lookahead_forecasts_total{camera="gate",basis="reasoned"} 1',
      'lookahead_forecasts_total{camera="gate",basis="carried"} 1',
      'lookahead_messages_total{camera="gate",kind="forecast"} 3',
      'lookahead_lag_seconds_count{camera="gate"} 2',
      'lookahead_explanations_total{camera="gate",result="published"} 1',
      'lookahead_explanation_steps_total{camera="gate",result="verified"} 1',
      'lookahead_explanation_steps_total{camera="gate",result="unverified"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it.each<[BusEvent, string]>([
    [
      { type: 'stored', kind: 'forecast', camera: 'gate', tookMs: 20, duplicate: false },
      'lookahead_publish_duration_seconds_sum{kind="forecast"} 0.02',
    ],
    [
      { type: 'retried', kind: 'event', why: '' },
      'lookahead_publish_retries_total{kind="event"} 1',
    ],
    [
      { type: 'dropped', kind: 'scene', reason: 'disconnected', why: '' },
      'lookahead_publish_drops_total{kind="scene",reason="disconnected"} 1',
    ],
  ])('counts the event %j of the broker', async (event, line) => {
    const metrics = metricsForTest();
    countBusEvent(metrics, event);
    expect(await metrics.text()).toContain(line);
  });

  it('is asked for what is cheaper asked than told, once for readers at one moment', async () => {
    const metrics = metricsForTest();
    let asked = 0;
    metrics.beforeReading(() => metrics.set('lookahead_viewers', {}, ++asked));
    const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    expect(texts.every((text) => text.includes('lookahead_viewers 1'))).toBe(true);
  });
});
