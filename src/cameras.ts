/** Each camera's ports: what the pure pipeline is connected to. */
import {
  defer,
  EMPTY,
  filter,
  from,
  map,
  merge,
  mergeMap,
  Subscription,
  switchMap,
  throwError,
  type Observable,
  type Subject,
} from 'rxjs';
import type { AppOptions } from './app.js';
import type { CameraSet } from './camera-set.js';
import { cameraAt, type CameraSource } from './camera-source.js';
import { gateOf } from './config.js';
import { failureLine } from './console.js';
import { LookaheadError } from './errors.js';
import { openHarvester } from './harvest/open-harvester.js';
import { openCamera, type IngestOptions } from './ingest/open-camera.js';
import type { KeyFrames } from './key-frames.js';
import { lagMs } from './lag.js';
import type { Message, StateName } from './messages.js';
import { countMessage, metricsReport } from './metrics/report.js';
import type { Metrics } from './metrics/registry.js';
import type { ReasonerPorts } from './models/model-ports.js';
import type { ModelPorts } from './models/model-ports.js';
import { stateMessage } from './operators/camera-messages.js';
import type { Turns } from './operators/take-turns.js';
import { defaultLimits, type PipelineConfig } from './pipeline-config.js';
import { watchCamera } from './pipeline.js';
import { followTable } from './outcomes/within.js';
import type { Recalibrations } from './recalibrate.js';
import type { Scores } from './scores-of-cameras.js';
import type { Bus } from './sinks/bus.js';
import { Baselines } from './outcomes/baselines.js';
import type { Frame, Ports, PublishReceipt, Report, Window } from './types.js';

export interface CameraStatus {
  readonly state: StateName;
  readonly sinceMs: number;
  readonly why: string;
}

export interface Engine extends Pick<AppOptions, 'config' | 'tools' | 'console' | 'onFatal'> {
  readonly models: ModelPorts;
  readonly reasoner: ReasonerPorts;
  /** Of the reasoner, which all cameras share. */
  readonly turns: Turns;
  readonly bus: Bus;
  readonly metrics: Metrics;
  /** Of each camera that is online, the newest whole one. */
  readonly windows: Map<string, Window>;
  readonly states: Map<string, CameraStatus>;
  readonly messages: Subject<Message>;
  readonly cameras: CameraSet;
  readonly keyFrames: KeyFrames;
  /** By camera. */
  readonly baselines: Map<string, Baselines>;
  readonly recalibrations: Recalibrations;
  readonly scores: Scores;
  /** Of the cameras that are watched from the beginning. */
  readonly epoch: number;
}

/** One subscription to one camera. */
export interface Watch {
  readonly camera: string;
  /** Of its messages. */
  readonly epoch: number;
  /** Fires when it is over. */
  readonly signal: AbortSignal;
}

export interface WatchOptions {
  /** Greater than any before. Those that are there from the beginning have `engine.epoch`. */
  readonly nextEpoch: () => number;
  readonly onBegun: (watch: Watch) => void;
}

/** Watches all cameras of the set, whichever they are at a time, until unsubscribed; none waits for another. */
export function watchCameras(engine: Engine, { nextEpoch, onBegun }: WatchOptions): Subscription {
  const { cameras, states } = engine;
  const all = new Subscription();
  const harvest = openHarvester(engine);
  const watched = new Map<string, Subscription>();
  const begin = (source: CameraSource, epoch: number): void => {
    const { name } = source;
    const own = new Subscription();
    const ending = new AbortController();
    own.add(() => ending.abort());
    watched.set(name, own);
    all.add(own);
    states.set(name, { state: 'connecting', sinceMs: Date.now(), why: 'not tried yet' });
    const { manifest } = engine.models.bundle;
    const seen = engine.keyFrames.tap(name, manifest, portsOf(source, engine, epoch));
    const present = {
      name,
      get camera() {
        return cameras.of(name)?.camera;
      },
    };
    const ports = harvest.tap(present, seen, { own, reopened$: reopeningsOf(name, cameras) });
    own.add(
      watchCamera(name, pipelineConfig(engine, epoch), ports).subscribe({ error: engine.onFatal }),
    );
    onBegun({ camera: name, epoch, signal: ending.signal });
  };
  for (const source of cameras.sources) begin(source, engine.epoch);
  all.add(
    cameras.change$.subscribe({
      next: ({ kind, source }) => {
        switch (kind) {
          case 'added':
            engine.recalibrations.beginCamera(source.name);
            return begin(source, nextEpoch());
          case 'removed':
            watched.get(source.name)?.unsubscribe();
            watched.delete(source.name);
            return forgetCamera(source.name, engine);
          case 'reopened':
            return; // Its frames follow that themselves: only the connection is another.
        }
      },
      error: engine.onFatal,
    }),
  );
  all.add(() => harvest.close());
  return all;
}

/** What is kept of a camera that is watched no more, its last word said. */
function forgetCamera(camera: string, engine: Engine): void {
  const { config, states, windows, baselines, metrics, console } = engine;
  for (const kept of [states, windows, baselines]) kept.delete(camera);
  engine.recalibrations.endCamera(camera);
  metrics.forget(camera);
  const [state, why] = ['offline', 'removed'] as const;
  console.state(camera, state, why);
  const origin = { site: config.site, camera, epoch: engine.epoch };
  const message = stateMessage(origin, { state, why, sinceMs: Date.now() });
  // Whoever drops it has told and counted it.
  publishMessage(engine, message).catch(() => undefined);
}

function pipelineConfig({ config, models }: Engine, epoch: number): PipelineConfig {
  return {
    site: config.site,
    epoch,
    manifest: models.bundle.manifest,
    bundleSha256: models.bundle.sha256,
    clock: 'arrival',
    gate: gateOf(config.gate),
    within: config.within ? { table: followTable(models.bundle) } : undefined,
    limits: {
      ...defaultLimits,
      explainChangeMin: config.gate.explainChangeMin,
      // While the broker is away its outbox is the one place where messages wait, are bounded and counted.
      publishInFlightMax: config.limits.outboxMessages,
      publishMaxMs: Infinity,
    },
    now: Date.now,
    random: Math.random,
  };
}

function portsOf(source: CameraSource, engine: Engine, epoch: number): Ports {
  const { config, models, reasoner, turns } = engine;
  const hasCheapHead = models.bundle.manifest.files.trackForecaster !== undefined;
  const frames$ = framesOf(source, engine);
  return {
    frames: () => frames$,
    perceive: (clip) => models.perceive(clip, epoch),
    score: reasoner.score,
    carry: (window) => (hasCheapHead ? reasoner.carry(window) : EMPTY),
    explain: (window, reasoning) =>
      config.gate.explain ? reasoner.explain(window, reasoning) : EMPTY,
    turns,
    publish: (message) => publishMessage(engine, message),
    baselines: baselinesOf(engine, source.name),
    recalibration: () => engine.recalibrations.of(source.name),
    report: reportOf(source.name, engine),
  };
}

/** To the broker, to whoever listens in this process, to metrics and console. */
export async function publishMessage(
  {
    bus,
    cameras,
    metrics,
    messages,
    console,
  }: Pick<Engine, 'bus' | 'cameras' | 'metrics' | 'messages' | 'console'>,
  message: Message,
): Promise<PublishReceipt> {
  messages.next(message);
  const receipt = await bus.publish(message);
  // Of one that was removed meanwhile, nothing is to be counted for ever.
  if (!cameras.has(message.camera)) return receipt;
  countMessage(metrics, message, receipt.ackedAtMs);
  const isForecast = message.schema === 'lookahead.forecast.v1';
  console.message(message, isForecast ? lagMs(message, receipt.ackedAtMs) : 0);
  return receipt;
}

/** Begun where the camera has none. */
export function baselinesOf(
  { baselines, models }: Pick<Engine, 'baselines' | 'models'>,
  camera: string,
): Baselines {
  const known = baselines.get(camera) ?? new Baselines(models.bundle.manifest.labels);
  baselines.set(camera, known);
  return known;
}

/** Asks for the address at each connection: a camera server that was replaced has another port. */
function framesOf({ name, camera }: CameraSource, engine: Engine): Observable<Frame> {
  const { cameras } = engine;
  const { models, metrics, console, tools } = engine;
  const { preprocessing, geometry } = models.bundle.manifest;
  const options: IngestOptions = {
    ffmpegPath: tools.ffmpegPath,
    widthPx: preprocessing.widthPx,
    heightPx: preprocessing.heightPx,
    framesPerSecond: geometry.framesPerSecond,
    limits:
      camera === undefined
        ? {}
        : { socketTimeoutMs: camera.timeoutMs, silenceMaxMs: camera.silenceMs },
    listener: {
      onDecodeErrors: (count) =>
        metrics.add('lookahead_decode_errors_total', { camera: name }, count),
      onWarning: (line) => console.log('debug', `${name}: ffmpeg: ${line}`),
    },
  };
  // Counts on over connections, as `Frame` says.
  let sequence = 0;
  const opened$ = defer(() => {
    const source = cameras.of(name);
    return source ? from(cameraAt(source)) : EMPTY;
  });
  const reopened$ = reopeningsOf(name, cameras).pipe(
    mergeMap(() => throwError(() => reopening(name))),
  );
  return merge(reopened$, opened$.pipe(switchMap((opened) => openCamera(opened, options)))).pipe(
    map((frame) => ({ ...frame, sequence: sequence++ })),
  );
}

function reopeningsOf(camera: string, { change$ }: CameraSet): Observable<unknown> {
  return change$.pipe(filter(({ kind, source }) => kind === 'reopened' && source.name === camera));
}

/** Of the pictures before, none may be seen from now on. */
function reopening(camera: string): LookaheadError {
  return new LookaheadError(
    'camera_ended',
    `${camera}: it is opened anew, with other privacy masks.`,
    'Nothing is to be done.',
  );
}

function reportOf(camera: string, { models, metrics, states, windows, console }: Engine): Report {
  const counted = metricsReport(camera, metrics);
  const { clipsPerWindow } = models.bundle.manifest.geometry;
  return {
    ...counted,
    window: (window) => {
      if (window.length >= clipsPerWindow) windows.set(camera, window);
      else windows.delete(camera);
    },
    failed: (stage, error) => {
      counted.failed(stage, error);
      // A camera's failure is told by its state, an unsent scene by the state of the broker.
      if (stage !== 'ingest' && stage !== 'publish') {
        console.log('warn', failureLine(camera, stage, error));
      }
    },
    state: (state, why) => {
      counted.state(state, why);
      // What a camera showed before it was lost is not what it shows.
      if (state !== 'online') windows.delete(camera);
      states.set(camera, { state, sinceMs: Date.now(), why });
      console.state(camera, state, why);
    },
  };
}
