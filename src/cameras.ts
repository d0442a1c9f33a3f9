/** Each camera's ports: what the pure pipeline is connected to. */
import {
  defer,
  EMPTY,
  from,
  map,
  switchMap,
  Subscription,
  type Observable,
  type Subject,
} from 'rxjs';
import type { AppOptions } from './app.js';
import { gateOf, type CameraConfig } from './config.js';
import { failureLine } from './console.js';
import { openHarvester } from './harvest/open-harvester.js';
import { openCamera, type Camera, type IngestOptions } from './ingest/open-camera.js';
import { lagMs } from './lag.js';
import type { Message, StateName } from './messages.js';
import { countMessage, metricsReport } from './metrics/report.js';
import type { Metrics } from './metrics/registry.js';
import type { ReasonerPorts } from './models/model-ports.js';
import type { ModelPorts } from './models/model-ports.js';
import { defaultLimits, type PipelineConfig } from './pipeline-config.js';
import { watchCamera } from './pipeline.js';
import { followTable } from './outcomes/within.js';
import { polygonsOf } from './privacy-mask-schema.js';
import type { Recalibrations } from './recalibrate.js';
import type { Bus } from './sinks/bus.js';
import type { Turns } from './operators/take-turns.js';
import { Baselines } from './outcomes/baselines.js';
import type { Frame, Ports, PublishReceipt, Report, Window } from './types.js';

export interface CameraSource {
  readonly name: string;
  /** Asked at each connection. */
  readonly url: () => Promise<string>;
  /** Absent for yard cameras. */
  readonly camera?: CameraConfig;
}

/** Where a camera is read at this moment. */
export async function cameraAt({ name, url, camera }: CameraSource): Promise<Camera> {
  return {
    name,
    url: await url(),
    transport: camera?.transport,
    username: camera?.username ?? undefined,
    password: camera?.password ?? undefined,
    privacyMasks: polygonsOf(camera?.privacyMasks ?? []),
  };
}

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
  /** By camera. */
  readonly baselines: Map<string, Baselines>;
  readonly recalibrations: Recalibrations;
  readonly epoch: number;
}

/** Watches all of them until unsubscribed; none waits for another. */
export function watchCameras(sources: readonly CameraSource[], engine: Engine): Subscription {
  const all = new Subscription();
  const harvest = openHarvester(engine);
  for (const source of sources) {
    const { name } = source;
    engine.states.set(name, { state: 'connecting', sinceMs: Date.now(), why: 'not tried yet' });
    all.add(
      watchCamera(
        name,
        pipelineConfig(engine),
        harvest.tap(source, portsOf(source, engine)),
      ).subscribe({ error: engine.onFatal }),
    );
  }
  all.add(() => harvest.close());
  return all;
}

function pipelineConfig({ config, models, epoch }: Engine): PipelineConfig {
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

function portsOf(source: CameraSource, engine: Engine): Ports {
  const { config, models, reasoner, turns } = engine;
  const hasCheapHead = models.bundle.manifest.files.trackForecaster !== undefined;
  const frames$ = framesOf(source, engine);
  return {
    frames: () => frames$,
    perceive: models.perceive,
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
  { bus, metrics, messages, console }: Pick<Engine, 'bus' | 'metrics' | 'messages' | 'console'>,
  message: Message,
): Promise<PublishReceipt> {
  messages.next(message);
  const receipt = await bus.publish(message);
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
function framesOf(source: CameraSource, engine: Engine): Observable<Frame> {
  const { name, camera } = source;
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
  return defer(() => from(cameraAt(source))).pipe(
    switchMap((opened) => openCamera(opened, options)),
    map((frame) => ({ ...frame, sequence: sequence++ })),
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
