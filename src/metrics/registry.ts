/** The metrics of one engine, by prom-client. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricList, type LabelsOf, type MetricName, type NameOf } from './list.js';

export interface Metrics {
  readonly contentType: string;
  add<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /** In the unit of the metric's name. */
  observe<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Nothing more is said of a camera, until something new happens with it. */
  forget(camera: string): void;
  /** Called before each reading, to set what is cheaper asked than told. */
  beforeReading(refresh: () => void): void;
  /** In Prometheus' text format. Readers at the same moment share one reading. */
  text(): Promise<string>;
  close(): void;
}

interface Series {
  readonly metric: Counter | Gauge | Histogram | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** `processMetrics`: memory, CPU and event loop of this process as well, by prom-client's own names. */
export function createMetrics({ processMetrics = true } = {}): Metrics {
  const registry = new Registry();
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  const refreshers: (() => void)[] = [];
  /** The series of each camera, since prom-client tells its own only later. */
  const ofCameras = new Map<string, Map<string, Series>>();
  let reading: Promise<string> | undefined;

  const note = (metric: Series['metric'], name: MetricName, labels: Series['labels']): void => {
    const { camera } = labels;
    if (camera === undefined) return;
    const series = ofCameras.get(camera) ?? new Map<string, Series>();
    ofCameras.set(camera, series.set(`${name} ${JSON.stringify(labels)}`, { metric, labels }));
  };

  for (const { name, help, labels, ...metric } of metricList) {
    const common = { name, help, labelNames: labels, registers: [registry] };
    switch (metric.type) {
      case 'counter':
        counters.set(name, new Counter(common));
        break;
      case 'gauge':
        gauges.set(name, new Gauge(common));
        break;
      case 'histogram':
        histograms.set(name, new Histogram({ ...common, buckets: [...metric.buckets] }));
        break;
    }
  }
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
    // Sums of what is told by type beside them, as gauges under a counter's name.
    for (const of of ['handles', 'requests', 'resources'])
      registry.removeSingleMetric(`nodejs_active_${of}_total`);
  }

  return {
    contentType: registry.contentType,
    add: (name, labels, by = 1) => {
      counters.get(name)?.inc(labels, by);
      note(counters.get(name), name, labels);
    },
    set: (name, labels, value) => {
      gauges.get(name)?.set(labels, value);
      note(gauges.get(name), name, labels);
    },
    observe: (name, labels, value) => {
      histograms.get(name)?.observe(labels, value);
      note(histograms.get(name), name, labels);
    },
    // At once: the same camera may be there again in the next instant.
    forget: (camera) => {
      for (const { metric, labels } of ofCameras.get(camera)?.values() ?? [])
        metric?.remove(labels);
      ofCameras.delete(camera);
    },
    beforeReading: (refresh) => void refreshers.push(refresh),
    text: () => {
      if (reading !== undefined) return reading;
      for (const refresh of refreshers) refresh();
      reading = registry.metrics().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    close: () => registry.clear(),
  };
}
