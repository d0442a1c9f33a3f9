/** The stages of one camera, worked out from config and ports, for `watchCamera` to put together. */
import { from, map, tap, type Observable, type ObservableInput } from 'rxjs';
import type { EventMessage, Forecast, Message, SceneMessage, StateMessage } from './messages.js';
import { attempt } from './operators/attempt.js';
import {
  eventMessages,
  sceneMessage,
  stateMessage,
  type StateChange,
} from './operators/camera-messages.js';
import { isDoubtful } from './operators/doubtful-outcome.js';
import type { ExplainOptions } from './operators/explain-latest.js';
import {
  checkDistribution,
  explainedForecast,
  forecastMessage,
  type ForecastFacts,
} from './operators/forecast-message.js';
import type { JudgeOptions } from './operators/judge-outcomes.js';
import type { Prediction, PredictLimits, PredictPorts } from './operators/predict-every.js';
import type { PublishLimits } from './operators/publish-bounded.js';
import type { ReconnectLimits } from './operators/reconnect.js';
import type { MemoryLimits } from './operators/remember.js';
import type { ClipLimits } from './operators/slide-clips.js';
import { noTurns } from './operators/take-turns.js';
import { withinMessage } from './operators/within-message.js';
import type { PictureLimits } from './operators/watch-picture.js';
import type { PipelineConfig } from './pipeline-config.js';
import type { Clip, Ports, Reasoning, Scene } from './types.js';

/** A forecast with what it was made of, as its explanation needs it. */
export interface Predicted extends Prediction {
  readonly forecast: Forecast;
  /** The same of what begins at all; null: not asked for. */
  readonly within: Forecast | null;
}

/** What goes out at once, in this order. */
export function issuedOf({ forecast, within }: Predicted): Forecast[] {
  return within ? [forecast, within] : [forecast];
}

export interface Stages {
  readonly clip: ClipLimits;
  readonly connection: ReconnectLimits;
  readonly picture: PictureLimits;
  readonly perceive: (clip: Clip) => Observable<Scene>;
  readonly memory: MemoryLimits;
  readonly rhythm: PredictLimits;
  readonly predict: PredictPorts;
  readonly explain: ExplainOptions<Predicted, Forecast>;
  readonly judge: JudgeOptions;
  readonly outbox: PublishLimits;
  readonly publish: (message: Message) => Observable<Message>;
  readonly write: {
    readonly forecast: (prediction: Prediction) => Predicted;
    readonly scene: (scene: Scene) => SceneMessage;
    readonly events: (scene: Scene) => EventMessage[];
    readonly state: (change: StateChange) => StateMessage;
  };
}

export function prepareStages(
  camera: string,
  { site, epoch, manifest, bundleSha256, clock, gate, within, limits, now }: PipelineConfig,
  ports: Ports,
  isPictureGood: () => boolean,
): Stages {
  const { geometry, labels, eventThresholds, domain, name, version } = manifest;
  const { framesPerClip, clipsPerWindow, horizonMs } = geometry;
  const { report, turns = noTurns } = ports;
  const origin = { site, camera, epoch };
  const frameMs = 1_000 / geometry.framesPerSecond;
  const gapMaxMs = limits.frameGapMaxMs;
  const bundle = { name, version, sha256: bundleSha256 };
  const facts: ForecastFacts = {
    labels,
    domain,
    framesPerClip,
    horizonMs,
    bundle,
    clock,
    gapMaxMs,
    clipMaxMs: limits.slowMax * (framesPerClip - 1) * frameMs,
  };
  let sequence = 0;
  const writeForecast = ({ window, reasoning }: Prediction): Predicted => {
    const issue = {
      sequence,
      issuedAtMs: now(),
      isPictureGood: isPictureGood(),
      recalibration: ports.recalibration?.() ?? null,
    };
    const forecast = forecastMessage(origin, facts, window, reasoning, issue);
    sequence += 1;
    return {
      ...{ window, reasoning, forecast },
      within: within ? withinMessage(forecast, facts, window, reasoning, within.table) : null,
    };
  };
  // A broken answer fails within its attempt, and is reported like any other failure.
  const checked = (answer: ObservableInput<Reasoning>): Observable<Reasoning> =>
    from(answer).pipe(tap(({ probabilities }) => checkDistribution(probabilities, labels.length)));
  const reason = { stage: 'reason', limitMs: limits.reasonMaxMs, report } as const;

  return {
    clip: { framesPerClip, gapMaxMs },
    connection: { pausesMs: limits.reconnectPausesMs, jitter: limits.reconnectJitter },
    picture: { frozenAfterMs: limits.frozenAfterMs, flatMax: limits.flatMax },
    perceive: (clip) =>
      attempt({ stage: 'perceive', limitMs: limits.perceiveMaxMs, report }, () =>
        ports.perceive(clip),
      ),
    memory: { clipsPerWindow, gapMaxMs: limits.memoryGapMaxClips * framesPerClip * frameMs },
    // A forecast needs a whole window: the bundle was calibrated on whole windows.
    rhythm: {
      everyClips: geometry.forecastEveryClips,
      clipsMin: clipsPerWindow,
      gate: gate ?? null,
    },
    predict: {
      carry: (window) => attempt({ ...reason, stage: 'carry' }, () => checked(ports.carry(window))),
      score: (window) => attempt(reason, () => turns.urgent(() => checked(ports.score(window)))),
      onDrop: () => report.dropped('reason', 'newer', 1),
      onDecided: (reason) => report.decided(reason),
    },
    explain: {
      forecastOf: ({ forecast }) => forecast,
      changeMin: limits.explainChangeMin,
      explain: ({ window, reasoning, forecast }) =>
        attempt({ ...reason, stage: 'explain' }, () =>
          turns
            .patient(() => ports.explain(window, reasoning))
            .pipe(map((explanation) => explainedForecast(forecast, facts, explanation))),
        ),
      onDrop: () => report.dropped('explain', 'newer', 1),
    },
    judge: {
      labels,
      eventThresholds,
      gapMaxMs,
      slackMs: frameMs / 2,
      openMax: limits.openForecastsMax,
      scenesMax: limits.openForecastsMax,
      now,
      isDoubtful: (seen) => isDoubtful(seen, limits.onsetDoubtMs),
      baselines: ports.baselines,
    },
    outbox: { inFlightMax: limits.publishInFlightMax, waitingMax: limits.publishWaitingMax },
    publish: (message) =>
      attempt({ stage: 'publish', limitMs: limits.publishMaxMs, report }, () =>
        from(ports.publish(message)).pipe(map(() => message)),
      ),
    write: {
      forecast: writeForecast,
      scene: (scene) => sceneMessage(origin, scene),
      events: (scene) => eventMessages(origin, scene, labels, eventThresholds),
      state: (change) => stateMessage(origin, change),
    },
  };
}
