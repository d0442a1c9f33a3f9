/** What is shipped for Prometheus and Grafana: it is valid, speaks of metrics that exist, and reads a running engine. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { stateNames } from '../../src/messages.js';
import { metricList } from '../../src/metrics/list.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { optionalTool } from '../shell/optional-tool.js';

const root = join(import.meta.dirname, '../..');
const prometheusDir = join(root, 'deploy/prometheus');
const grafanaDir = join(root, 'deploy/grafana');
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const patience = { timeout: 150_000, interval: 200 };

const promtool = optionalTool('promtool');
const prometheus = optionalTool('prometheus');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly Target[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

const { groups } = parse(read(prometheusDir, 'lookahead.rules.yml')) as {
  groups: { name: string; rules: Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const alertNames = alerts.map(({ alert }) => alert!);

const dashboards = readdirSync(join(grafanaDir, 'dashboards')).map(
  (file) => JSON.parse(read(grafanaDir, 'dashboards', file)) as Dashboard,
);
const targets = dashboards.flatMap(({ panels, title }) =>
  panels.flatMap(({ title: panel, targets: of = [] }) =>
    of.map((target) => ({ ...target, at: `${title}: ${panel}` })),
  ),
);

/** As Grafana would send it, for all engines and cameras. */
function asked(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h')
    .replaceAll('$target', 'next')
    .replaceAll('$period', 'day')
    .replace(/\$(instance|camera)/g, '.*');
}

/** Runs promtool; what it says and its status. */
function run(args: readonly string[], input?: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool!, args, { encoding: 'utf8', input });
  return { status, output: stdout + stderr };
}

describe.skipIf(promtool === undefined)('promtool', () => {
  it('takes the configuration and the rules', () => {
    const { status, output } = run(['check', 'config', join(prometheusDir, 'prometheus.yml')]);
    expect(status, output).toBe(0);
    const check = ['check', 'rules', '--lint=all', '--lint-fatal'];
    const checked = run([...check, join(prometheusDir, 'lookahead.rules.yml')]);
    expect(checked.status, checked.output).toBe(0);
  });

  it('finds each alert firing where it should and silent where it should not', () => {
    const tests = join(prometheusDir, 'lookahead.rules.test.yml');
    const { status, output } = run(['test', 'rules', tests]);
    expect(status, output).toBe(0);
    // That each one was seen firing: its name stands among what is expected.
    const expected = read(tests);
    for (const name of alertNames) expect(expected).toContain(`alertname="${name}"`);
    // An engine of rules for each of fifty cases: seconds, and more where others are busy.
  }, 300_000);

  it('takes every expression of the dashboards', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lookahead-dashboards-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'rules.yml');
    const asRules = targets.map(({ expr }, index) => ({
      record: `a:b:${String(index)}`,
      expr: asked(expr),
    }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboards', rules: asRules }] }));
    const { status, output } = run(['check', 'rules', file]);
    expect(status, output).toBe(0);
  });
});

describe('what is asked of the metrics', () => {
  const asking = [
    ...rules.map(({ expr, alert, record }) => ({ expr, at: alert ?? record! })),
    ...targets,
  ];
  const ours = new Map<string, readonly string[]>(
    metricList.map(({ name, labels }) => [name, labels]),
  );
  const histograms = metricList.filter(({ type }) => type === 'histogram').map(({ name }) => name);
  const always = ['job', 'instance'];
  const recorded = new Map(rules.map(({ record, labels = {} }) => [record, Object.keys(labels)]));

  /** The labels of a metric by the name that stands in an expression; undefined: there is none. */
  function labelsOf(name: string, foreign: ReadonlySet<string>): readonly string[] | undefined {
    const histogram = histograms.find((one) => name.startsWith(`${one}_`));
    if (histogram !== undefined && /_(bucket|sum|count)$/.test(name))
      return [...ours.get(histogram)!, ...(name.endsWith('_bucket') ? ['le'] : [])];
    if (recorded.has(name)) return ['camera', ...recorded.get(name)!];
    if (name === 'up' || foreign.has(name)) return [];
    return histograms.some((one) => one === name) ? undefined : ours.get(name);
  }

  it('exists, name and label', async () => {
    const metrics = createMetrics();
    const foreign = new Set(
      [...(await metrics.text()).matchAll(/^# TYPE ((?:nodejs|process)_\S+)/gm)].map(
        ([, name]) => name!,
      ),
    );
    metrics.close();
    for (const { expr, at } of asking) {
      const names = expr.match(/\bup\b|\b[a-z_]+:[\w:]+|\b(?:lookahead|nodejs|process)_\w+/g) ?? [];
      expect(names, at).not.toEqual([]);
      const known = names.flatMap((name) => {
        const labels = labelsOf(name, foreign);
        expect(labels, `${name} of ${at}`).toBeDefined();
        return labels ?? [];
      });
      for (const [, name, selectors] of expr.matchAll(/([\w:]+)\{([^}]*)\}/g)) {
        for (const [, label] of selectors!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
          expect([...always, ...labelsOf(name!, foreign)!], `${name!} of ${at}`).toContain(label);
        const states = /state=~?"([^"]*)"/.exec(selectors!)?.[1]?.split('|') ?? [];
        for (const state of states) expect(stateNames, at).toContain(state);
      }
      for (const [, list] of expr.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g))
        for (const label of list!
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean))
          expect([...always, ...known], `${label} of ${at}`).toContain(label);
    }
  });

  it('is shown under labels that the answer has', () => {
    for (const { expr, legendFormat, at } of targets) {
      const by = /^.*?\bby \(([^)]*)\)/
        .exec(expr)?.[1]
        ?.split(',')
        .map((one) => one.trim());
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(by ?? ['instance', 'camera', 'webhook'], at).toContain(label);
    }
  });
});

describe('alerts', () => {
  it('say what it is, how bad it is and where to read on', () => {
    expect(new Set(alertNames).size).toBe(alertNames.length);
    for (const { alert, labels, annotations } of alerts) {
      expect(['critical', 'warning'], alert).toContain(labels?.['severity']);
      expect(Object.keys(annotations ?? {}).sort(), alert).toEqual([
        'description',
        'runbook_url',
        'summary',
      ]);
      expect(annotations?.['runbook_url']).toBe(
        `{{ $externalLabels.docs }}docs/alerts/${alert!}.md`,
      );
    }
  });

  it('each have a page, and each page its alert, and the list names them all', () => {
    const pages = readdirSync(join(root, 'docs/alerts')).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(alertNames.map((name) => `${name}.md`).sort());
    const list = read(root, 'docs/alerts/README.md');
    for (const { alert, labels } of alerts) {
      const row = list.split('\n').find((line) => line.includes(`(${alert!}.md)`));
      expect(row, alert).toContain(labels!['severity']);
      const page = read(root, `docs/alerts/${alert!}.md`);
      expect(page).toMatch(new RegExp(`^# ${alert!}\n`));
      const parts = ['What it costs', 'How to look', 'What to do', 'When to silence it'];
      expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(parts);
    }
  });
});

describe('dashboards', () => {
  it.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))(
    '%s can be provisioned',
    (_, { uid, schemaVersion, panels, templating }) => {
      expect(uid).toMatch(/^[\w-]{1,40}$/);
      expect(schemaVersion).toBeGreaterThanOrEqual(36);
      const variables = templating.list.map(({ name }) => name);
      expect(variables).toEqual(expect.arrayContaining(['datasource', 'instance', 'camera']));
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const { title, type, datasource, gridPos, targets: of = [] } of panels) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        if (type === 'row') continue;
        expect(datasource, title).toEqual({ type: 'prometheus', uid: '${datasource}' });
        expect(of.length, title).toBeGreaterThan(0);
      }
      for (const { expr } of panels.flatMap(({ targets: of = [] }) => of))
        for (const [, name] of expr.matchAll(/\$(\w+)/g))
          expect([...variables, '__rate_interval', '__range']).toContain(name);
      // No panel lies over another one.
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from(
          { length: w * h },
          (_cell, at) => `${String(x + (at % w))} ${String(y + Math.floor(at / w))}`,
        ),
      );
      expect(new Set(cells).size).toBe(cells.length);
    },
  );
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A program that ends with the test; what it has said so far. */
function started(
  file: string,
  args: readonly string[],
): { child: ChildProcess; said: () => string } {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said: () => said };
}

describe.skipIf(prometheus === undefined || promtool === undefined)('a Prometheus', () => {
  it('reads a running engine, takes the rules, and answers what the dashboards ask', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lookahead-monitoring-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const engine = started(process.execPath, [
      ...[join(root, 'dist/main.js'), 'start', '--yard-cameras', '1'],
      ...['--nats-port', '0', '--http-port', '0', '--nats-store', join(folder, 'nats')],
    ]);
    const isReady = (): boolean =>
      engine.child.exitCode !== null || engine.said().includes('cameras yard-1');
    await expect.poll(isReady, patience).toBe(true);
    const page = /^page +(\S+)/m.exec(engine.said())?.[1];
    expect(page, engine.said()).toBeDefined();

    // The shipped file, but for the address and the pace.
    const config = read(prometheusDir, 'prometheus.yml')
      .replace('127.0.0.1:9700', new URL(page!).host)
      .replaceAll('interval: 15s', 'interval: 1s');
    writeFileSync(join(folder, 'prometheus.yml'), config);
    copyFileSync(join(prometheusDir, 'lookahead.rules.yml'), join(folder, 'lookahead.rules.yml'));
    const port = await freePort();
    const server = started(prometheus!, [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
    ]);
    const api = async (path: string): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${String(port)}/api/v1/${path}`);
      return ((await response.json()) as { data?: unknown }).data;
    };
    const values = async (expr: string): Promise<Record<string, number>> => {
      const data = (await api(`query?query=${encodeURIComponent(expr)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return Object.fromEntries(
        data.result.map(({ metric, value }) => {
          const { __name__: _, job: __, instance: ___, ...labels } = metric;
          return [Object.values(labels).join(' '), Number(value[1])];
        }),
      );
    };
    const valuesOrNone = (expr: string) => values(expr).catch(() => ({}));

    const said = (): string => `${server.said()}\n${engine.said()}`;
    await expect
      .poll(() => valuesOrNone('lookahead_camera_state{state="online"} == 1'), patience)
      .toEqual({ 'yard-1 online': 1 });
    await expect
      .poll(() => valuesOrNone('lookahead_lag_seconds_count > 0'), patience)
      .toHaveProperty('yard-1');
    expect(await values('up'), said()).toEqual({ '': 1 });
    // What the alerts divide by and count from.
    expect(await values('lookahead_horizon_seconds')).toEqual({ '': 4 });
    expect(await values('lookahead_outbox_capacity_bytes')).toEqual({ '': 32 * 2 ** 20 });
    expect(await values('lookahead_model_restarts_total')).toEqual({ perceiver: 0, reasoner: 0 });
    expect(await values('lookahead_model_lost_total')).toEqual({ perceiver: 0, reasoner: 0 });

    interface Evaluated {
      readonly name: string;
      readonly health: string;
      readonly lastError?: string;
    }
    const evaluated = async (): Promise<Evaluated[]> => {
      const data = (await api('rules')) as { groups: { rules: Evaluated[] }[] };
      return data.groups.flatMap((group) => group.rules);
    };
    await expect
      .poll(async () => (await evaluated()).filter(({ health }) => health === 'unknown'), patience)
      .toEqual([]);
    const all = await evaluated();
    expect(all.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(alertNames));
    expect(await values('ALERTS{alertstate="firing"}')).toEqual({});

    for (const { expr, at } of targets) {
      const query = encodeURIComponent(asked(expr));
      const response = await fetch(`http://127.0.0.1:${String(port)}/api/v1/query?query=${query}`);
      expect(response.status, `${at}: ${expr}`).toBe(200);
    }

    const exposition = await (await fetch(new URL('/metrics', page))).text();
    expect(run(['check', 'metrics'], exposition)).toEqual({ status: 0, output: '' });
  }, 300_000);
});
