/** The rolling scores of a running engine: kept from its outcomes, told as messages and metrics. */
import { filter, type Subject } from 'rxjs';
import type { AppOptions } from './app.js';
import type { CameraSet } from './camera-set.js';
import type { Closers } from './closers.js';
import { isOfBundle, isOutcome, type Message, type Outcome, type Score } from './messages.js';
import { countMessage } from './metrics/report.js';
import type { Metrics } from './metrics/registry.js';
import { countOutcome, setScores } from './metrics/scores.js';
import type { ModelPorts } from './models/model-ports.js';
import { scoreAfter } from './operators/score-after.js';
import { scoreMessage } from './outcomes/score-message.js';
import { Scoreboard } from './outcomes/scoreboard.js';
import type { Recalibrations } from './recalibrate.js';
import type { Bus } from './sinks/bus.js';

const scorePeriodMs = 60_000;

export interface Scoring extends Pick<AppOptions, 'config' | 'console' | 'onFatal'> {
  readonly bus: Pick<Bus, 'publish'>;
  readonly models: { readonly bundle: Pick<ModelPorts['bundle'], 'sha256'> & Named };
  readonly metrics: Metrics;
  readonly cameras: Pick<CameraSet, 'change$' | 'has'>;
  readonly messages: Subject<Message>;
  readonly closers: Closers;
  /** Of a camera, now; asked for each score. */
  readonly recalibrations?: Pick<Recalibrations, 'of' | 'driftOf'>;
  readonly periodMs?: number;
}

interface Named {
  readonly manifest: { readonly name: string; readonly version: string };
}

export interface Scores {
  readonly board: Scoreboard;
  /** Another bundle: the last one's marks say nothing of its worth. */
  readonly begin: () => void;
  /** An outcome of an earlier run. */
  readonly remember: (outcome: Outcome) => void;
}

/**
 * Adds up every outcome that is published from now on, and what is remembered of earlier runs. Must be called before the first
 * camera is watched. Ends with the closers.
 */
export function scoreCameras(engine: Scoring): Scores {
  const { config, bus, models, metrics, messages, cameras, console, closers, onFatal } = engine;
  const board = new Scoreboard();
  const write = (of: Pick<Score, 'camera' | 'target'>, nowMs: number): Score => {
    const recalibration =
      of.target === 'next' ? (engine.recalibrations?.of(of.camera) ?? null) : null;
    const drift = of.target === 'next' ? (engine.recalibrations?.driftOf(of.camera) ?? null) : null;
    const { manifest, sha256 } = models.bundle;
    const bundle = { name: manifest.name, version: manifest.version, sha256 };
    return scoreMessage(board, of, { site: config.site, bundle, recalibration, drift }, nowMs);
  };
  const outcome$ = messages.pipe(filter(isOutcome));
  const counting = outcome$.subscribe({
    next: (outcome) => {
      if (!isOfBundle(outcome, models.bundle.sha256)) return;
      board.add(outcome);
      countOutcome(metrics, outcome);
    },
    error: onFatal,
  });
  const telling = outcome$
    .pipe(
      scoreAfter({ periodMs: engine.periodMs ?? scorePeriodMs, write }),
      filter(({ camera }) => cameras.has(camera)),
    )
    .subscribe({
      next: (score) => {
        messages.next(score);
        console.message(score, null);
        // What was dropped, the bus has told and counted; the next score says it all again.
        void bus.publish(score).then(
          ({ ackedAtMs }) => countMessage(metrics, score, ackedAtMs),
          () => undefined,
        );
      },
      error: onFatal,
    });
  const leaving = cameras.change$.subscribe({
    next: ({ kind, source }) => {
      if (kind === 'removed') board.forget(source.name);
    },
    error: onFatal,
  });
  metrics.beforeReading(() => setScores(metrics, board, Date.now()));
  closers.add(() => {
    for (const ended of [counting, telling, leaving]) ended.unsubscribe();
  });
  return {
    board,
    begin: () => board.clear(),
    remember: (outcome) => {
      if (isOfBundle(outcome, models.bundle.sha256)) board.add(outcome);
    },
  };
}
