/** From a configuration to running cameras: opens everything in order, and one `close` undoes it all. */
import { Subject } from 'rxjs';
import { createAsk } from './ask.js';
import { openBus, openNatsServer } from './broker.js';
import { AddedCameras } from './added-cameras.js';
import { BundleSwitch } from './bundle-switch.js';
import { serveCameras } from './camera-services.js';
import { CameraSet } from './camera-set.js';
import { fixedSources } from './camera-source.js';
import type { CameraStatus } from './cameras.js';
import { Closers } from './closers.js';
import type { Config } from './config.js';
import { errorText, type Console } from './console.js';
import { CredentialStore } from './credential-store.js';
import { followOutcomes } from './follow-outcomes.js';
import { startHttp } from './http/server.js';
import { KeyFrames } from './key-frames.js';
import { openPictures } from './live-pictures.js';
import type { Message } from './messages.js';
import { createMetrics, type Metrics } from './metrics/registry.js';
import type { ReasonerPorts } from './models/model-ports.js';
import type { ModelPorts } from './models/model-ports.js';
import { SwitchableModels } from './models/switchable-models.js';
import { natsGate, type BesideServer } from './nats-gate.js';
import { openModels } from './open-models.js';
import { takeTurns, type Turns } from './operators/take-turns.js';
import type { Baselines } from './outcomes/baselines.js';
import { bundleDirOf, dashboardDir, defaultCredentialsFile, engineVersion } from './places.js';
import type { Bus } from './sinks/bus.js';
import { heartbeats } from './sinks/heartbeat.js';
import { startWebhooks } from './start-webhooks.js';
import type { Window } from './types.js';

export interface Tools {
  readonly ffmpegPath: string;
  readonly natsServerPath: string;
}

export interface AppOptions {
  readonly config: Config;
  readonly tools: Tools;
  readonly console: Console;
  /** A programming error in a camera's pipeline: nothing can be trusted any more. */
  readonly onFatal: (error: unknown) => void;
  /** Fires: what is not open yet is not opened any more. */
  readonly signal: AbortSignal;
}

export interface App {
  readonly natsUrl: string;
  readonly pageUrl: string;
  /** What keeps it from being ready, as /readyz says it; empty: it is. */
  hindrances(): readonly string[];
  /** Drains and leaves no child behind. */
  close(): Promise<void>;
}

/** Resolves when cameras are being watched, whether they can be reached or not. Rejects with a LookaheadError. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, console, signal } = options;
  const closers = new Closers();
  try {
    const metrics = openMetrics(closers);
    const states = new Map<string, CameraStatus>();
    const messages = new Subject<Message>();
    const open: { bus?: Bus; models?: ModelPorts; beside?: BesideServer | undefined } = {};
    const cameras = new CameraSet(fixedSources(options, closers));
    const pictures = openPictures(options, cameras, closers);
    const stills = openKeyFrames(config, cameras);
    const added = new AddedCameras({
      ...{ cameras, states, console, ffmpegPath: options.tools.ffmpegPath },
      credentials: openCredentials(config, console),
      seeing: () => open.models?.bundle.manifest,
    });
    // First what may fail at once because of another engine on this machine.
    const http = await startHttp({
      ...config.http,
      metrics,
      hindrances: () => hindrances(open, states),
      onError: (error) => console.log('error', `page: ${errorText(error)}`),
      ...{ version: engineVersion, site: config.site, dashboardDir, pictures, stills },
      cameras: added,
      natsGate: natsGate(config, () => open.beside),
      viewersMax: config.limits.viewersMax,
    });
    closers.add(() => http.close());
    closers.add(() => messages.complete());
    signal.throwIfAborted();

    // The models take longest; the broker and the cameras that we serve come up beside them.
    for (const { url } of cameras.sources) url().catch(() => undefined);
    const epoch = Date.now();
    const opened = (dir: string) => openModels(dir, config, metrics, console);
    const loading = opened(bundleDirOf(config));
    loading.catch(() => undefined);
    closers.add(() =>
      loading.then((first) => (open.models ?? first).close()).catch(() => undefined),
    );
    const labels = loading.then(({ bundle }) => bundle.manifest.labels.map(({ text }) => text));
    startWebhooks({ ...options, metrics, messages, closers, labels });
    open.beside = await openNatsServer(options, closers);
    const natsUrl = open.beside?.url;
    signal.throwIfAborted();
    const bus = await openBus(config, natsUrl, { closers, metrics, console });
    open.bus = bus;
    const models = new SwitchableModels(await loading);
    open.models = models;
    signal.throwIfAborted();

    const ofOutcomes = { ...options, bus, models, metrics, cameras, messages, closers };
    const { recalibrations, scores } = followOutcomes(ofOutcomes);
    const reasoner: ReasonerPorts = models;
    const turns = takeTurns();
    const windows = new Map<string, Window>();
    const engine = {
      ...{ ...options, models, reasoner, turns, windows, bus, metrics, states, messages },
      ...{
        baselines: new Map<string, Baselines>(),
        recalibrations,
        scores,
        cameras,
        keyFrames: stills,
      },
    };
    const watched = new BundleSwitch({ engine, open: opened }, epoch);
    closers.add(() => watched.close());
    closers.add(added.follow(bus));
    serveCameras(bus, added);
    serveAsk(bus, models, { config, reasoner, turns, windows, cameras, metrics });
    beat(bus, watched, { config, states, closers });
    refresh(metrics, { bus, models, config, viewers: () => http.viewers });
    const { name, version } = models.bundle.manifest;
    console.log('info', `bundle  ${name} ${version} on ${config.models.device}`);
    console.log(
      'info',
      `NATS    ${natsUrl ?? (config.nats.servers ?? []).map(withoutLogin).join(', ')}`,
    );
    console.log('info', `page    ${http.url}`);
    console.log('info', `cameras ${cameras.names.join(', ')}`);
    return {
      ...{ natsUrl: natsUrl ?? '', pageUrl: http.url, close: () => closers.close() },
      hindrances: () => hindrances(open, states),
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function openMetrics(closers: Closers): Metrics {
  const metrics = createMetrics();
  closers.add(() => metrics.close());
  metrics.set('lookahead_build_info', { version: engineVersion, node: process.versions.node }, 1);
  return metrics;
}

function openKeyFrames({ limits }: Config, cameras: CameraSet): KeyFrames {
  const keyFrames = new KeyFrames({
    bytesMax: limits.stillsMib * 2 ** 20,
    cameras: () => cameras.size,
  });
  cameras.change$.subscribe({
    next: ({ kind, source }) => {
      if (kind !== 'added') keyFrames.forget(source.name);
    },
    error: rethrow,
  });
  return keyFrames;
}

function openCredentials({ credentialsFile }: Config, console: Console): CredentialStore {
  const file = credentialsFile ?? defaultCredentialsFile;
  return new CredentialStore(file, (text) => console.log('warn', text));
}

function serveAsk(
  bus: Bus,
  models: ModelPorts,
  engine: {
    config: Config;
    reasoner: ReasonerPorts;
    turns: Turns;
    windows: ReadonlyMap<string, Window>;
    cameras: CameraSet;
    metrics: Metrics;
  },
): void {
  const { config, reasoner, turns, windows, cameras, metrics } = engine;
  const ask = createAsk({
    site: config.site,
    labels: () => models.bundle.manifest.labels,
    cameras: () => cameras.names,
    windowOf: (camera) => windows.get(camera),
    questionOf: (camera) => config.cameras[camera]?.prompts.question ?? undefined,
    ask: reasoner.ask,
    turns,
    limits: config.ask,
    onResult: (result) => metrics.add('lookahead_asks_total', { result }),
  });
  bus.serveStream('ask', 'Answers a question about what a camera shows now.', ask);
}

function beat(
  bus: Bus,
  watched: BundleSwitch,
  engine: { config: Config; states: Map<string, CameraStatus>; closers: Closers },
): void {
  const { config, states, closers } = engine;
  const beating = heartbeats({
    site: config.site,
    epoch: () => watched.epoch,
    bundle: () => watched.facts,
    cameras: () => Object.fromEntries([...states].map(([camera, { state }]) => [camera, state])),
  }).subscribe({ next: (heartbeat) => void bus.heartbeat(heartbeat), error: rethrow });
  closers.add(() => beating.unsubscribe());
}

function refresh(
  metrics: Metrics,
  engine: { bus: Bus; models: ModelPorts; config: Config; viewers: () => number },
): void {
  const { bus, models, config, viewers } = engine;
  const { outboxMessages, outboxMib } = config.limits;
  metrics.set('lookahead_queue_capacity', { stage: 'publish' }, outboxMessages);
  metrics.set('lookahead_outbox_capacity_bytes', {}, outboxMib * 2 ** 20);
  metrics.beforeReading(() => {
    const { horizonMs } = models.bundle.manifest.geometry;
    metrics.set('lookahead_horizon_seconds', {}, horizonMs / 1000);
    metrics.set('lookahead_queue_length', { stage: 'perceive' }, models.perceiver.queued);
    metrics.set('lookahead_queue_length', { stage: 'reason' }, models.reasoner.queued);
    metrics.set('lookahead_queue_length', { stage: 'publish' }, bus.outbox.messages);
    metrics.set('lookahead_outbox_bytes', {}, bus.outbox.bytes);
    metrics.set('lookahead_viewers', {}, viewers());
  });
}

function hindrances(
  { bus, models }: { bus?: Bus; models?: ModelPorts },
  states: ReadonlyMap<string, CameraStatus>,
): string[] {
  const isOnline = [...states.values()].some(({ state }) => state === 'online');
  return [
    ...(bus?.status.state === 'connected' ? [] : [`NATS: ${bus?.status.why ?? 'not started yet'}`]),
    ...(models === undefined ? ['models: not loaded yet'] : []),
    // Without any there is nothing to wait for: they can be added.
    ...(isOnline || states.size === 0 ? [] : ['cameras: none is online']),
  ];
}

function withoutLogin(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function rethrow(error: unknown): void {
  throw error;
}
