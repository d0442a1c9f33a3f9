/** The rolling scores of a running engine: kept from its outcomes, told as messages and metrics, rebuilt at start. */
import { setTimeout as delay } from 'node:timers/promises';
import { filter, type Subject } from 'rxjs';
import type { AppOptions } from './app.js';
import type { Closers } from './closers.js';
import { cameraNamesOf } from './config.js';
import { LookaheadError, messageOf } from './errors.js';
import { isOfBundle, isOutcome, type Message, type Score } from './messages.js';
import { countMessage } from './metrics/report.js';
import type { Metrics } from './metrics/registry.js';
import { countOutcome, setScores } from './metrics/scores.js';
import type { ModelPorts } from './models/model-ports.js';
import { scoreAfter } from './operators/score-after.js';
import { scoreMessage } from './outcomes/score-message.js';
import { periods, Scoreboard } from './outcomes/scoreboard.js';
import type { Recalibrations } from './recalibrate.js';
import type { Bus } from './sinks/bus.js';
import { storedOutcomes } from './sinks/stored-messages.js';

const scorePeriodMs = 60_000;
/** More than the stream of outcomes holds within its usual budget. */
const storedMax = 400_000;
const readyMaxMs = 60_000;
const retryMs = 5_000;

export interface Scoring extends Pick<AppOptions, 'config' | 'console' | 'onFatal'> {
  readonly bus: Pick<Bus, 'history' | 'publish' | 'ready'>;
  readonly models: { readonly bundle: Pick<ModelPorts['bundle'], 'sha256'> & Named };
  readonly metrics: Metrics;
  readonly messages: Subject<Message>;
  readonly closers: Closers;
  /** Of a camera, now; asked for each score. */
  readonly recalibrations?: Pick<Recalibrations, 'of' | 'driftOf'>;
  readonly periodMs?: number;
}

interface Named {
  readonly manifest: { readonly name: string; readonly version: string };
}

/**
 * Adds up every outcome that is published from now on, and beside it all that was stored before, as soon as the broker is there.
 * Must be called before the first camera is watched. Ends with the closers.
 */
export function scoreCameras(engine: Scoring): Scoreboard {
  const { config, bus, models, metrics, messages, console, closers, onFatal } = engine;
  const board = new Scoreboard();
  let ofSha256 = models.bundle.sha256;
  /** Another bundle's marks would say nothing of this one's worth. */
  const present = (): Scoreboard => {
    if (ofSha256 !== models.bundle.sha256) board.clear();
    ofSha256 = models.bundle.sha256;
    return board;
  };
  const write = (of: Pick<Score, 'camera' | 'target'>, nowMs: number): Score => {
    const recalibration =
      of.target === 'next' ? (engine.recalibrations?.of(of.camera) ?? null) : null;
    const drift = of.target === 'next' ? (engine.recalibrations?.driftOf(of.camera) ?? null) : null;
    const { manifest, sha256 } = models.bundle;
    const bundle = { name: manifest.name, version: manifest.version, sha256 };
    return scoreMessage(present(), of, { site: config.site, bundle, recalibration, drift }, nowMs);
  };
  const outcome$ = messages.pipe(filter(isOutcome));
  const startMs = Date.now();
  const counting = outcome$.subscribe({
    next: (outcome) => {
      if (!isOfBundle(outcome, models.bundle.sha256)) return;
      present().add(outcome);
      countOutcome(metrics, outcome);
    },
    error: onFatal,
  });
  const telling = outcome$
    .pipe(scoreAfter({ periodMs: engine.periodMs ?? scorePeriodMs, write }))
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
  metrics.beforeReading(() => setScores(metrics, present(), Date.now()));
  const closing = new AbortController();
  // Nobody waits for it: the bus that it reads from is closed after it, which ends it.
  rebuild(board, engine, startMs, closing.signal).catch(onFatal);
  closers.add(() => {
    counting.unsubscribe();
    telling.unsubscribe();
    closing.abort();
  });
  return board;
}

/** Whole or not at all, so that a broker that goes away meanwhile has nothing counted twice. Rejects on programming errors. */
async function rebuild(
  board: Scoreboard,
  { bus, config, console, models }: Scoring,
  startMs: number,
  signal: AbortSignal,
): Promise<void> {
  const cameras = new Set(cameraNamesOf(config));
  const range = { sinceMs: startMs - periods.week.lengthMs, max: storedMax };
  const isEnded = (): boolean => signal.aborted;
  while (!isEnded()) {
    try {
      await bus.ready(readyMaxMs);
      const stored = new Scoreboard();
      let count = 0;
      for await (const outcome of storedOutcomes(bus, range)) {
        if (isEnded()) return;
        // What this engine has decided was counted as it came.
        if (Date.parse(outcome.decidedAt) >= startMs || !cameras.has(outcome.camera)) continue;
        if (!isOfBundle(outcome, models.bundle.sha256)) continue;
        stored.add(outcome);
        count += 1;
      }
      board.merge(stored);
      console.log('debug', `scores: ${count} outcomes of the last week are counted again.`);
      return;
    } catch (error) {
      // A bus that is closed breaks off in ways of its own.
      if (isEnded()) return;
      if (!(error instanceof LookaheadError)) throw error;
      console.log('debug', `scores: not rebuilt yet: ${messageOf(error)}`);
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
