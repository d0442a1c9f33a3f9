/** Each camera's chances mended by its own outcomes: learned as they come, kept in versions, noticed when skill falls. */
import { filter, type Subject, type Subscription } from 'rxjs';
import type { Closers } from './closers.js';
import type { Console } from './console.js';
import { LookaheadError, messageOf } from './errors.js';
import {
  isOfBundle,
  isOutcome,
  type Message,
  type Outcome,
  type Recalibration,
  type Score,
} from './messages.js';
import type { Metrics } from './metrics/registry.js';
import {
  calibrationBucket,
  decodeEntry,
  encodeEntry,
  recalibrationOf,
  type CalibrationVersion,
} from './outcomes/calibration-entry.js';
import {
  defaultDrift,
  driftMarkOf,
  noDrift,
  watchDrift,
  type DriftState,
} from './outcomes/drift.js';
import { bundlesOwn, evidenceOf } from './outcomes/recalibration.js';
import { Recalibrator } from './outcomes/recalibrator.js';
import type { Bus } from './sinks/bus.js';
import type { KeyValues, StoredValue } from './sinks/key-values.js';

export interface Recalibrating {
  readonly bus: Pick<Bus, 'keyValues'>;
  /** Of the bundle that forecasts now. */
  readonly bundleSha256: () => string;
  /** False: what is kept is neither used nor changed. Skill is watched all the same. */
  readonly enabled: boolean;
  /** Of one that is not, what is kept is known, and no metric tells it. Default: each is. */
  readonly isWatched?: (camera: string) => boolean;
  readonly messages: Subject<Message>;
  readonly metrics: Metrics;
  readonly console: Pick<Console, 'log'>;
  readonly closers: Closers;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

interface OfCamera {
  /** Hears outcomes of the present bundle alone. */
  recalibrator: Recalibrator;
  /** The newest one kept, of whatever bundle; null: none, or nonsense. */
  version: CalibrationVersion | null;
  /** The newest in the bucket, whatever it holds. */
  revision: number;
  drift: DriftState;
  isWriting: boolean;
}

export class Recalibrations {
  readonly #engine: Recalibrating;
  readonly #store: KeyValues;
  readonly #cameras = new Map<string, OfCamera>();
  #complaint = '';

  /** Follows the outcomes that are published and the versions that are kept until the closers are called. */
  constructor(engine: Recalibrating) {
    this.#engine = engine;
    const { bus, messages, closers } = engine;
    this.#store = bus.keyValues(calibrationBucket.name, calibrationBucket.versions);
    const stop = this.#store.watch(
      (value) => this.#follow(value),
      (error) => this.#complain(error),
    );
    const hearing: Subscription = messages.pipe(filter(isOutcome)).subscribe({
      next: (outcome) => this.#learn(outcome),
      error: () => undefined,
    });
    closers.add(() => {
      hearing.unsubscribe();
      stop();
    });
  }

  /** Another bundle: what was learned of the last one's chances says nothing of these. What is kept of it stays kept. */
  begin(): void {
    for (const camera of this.#cameras.keys()) this.beginCamera(camera);
  }

  /** The same of one camera: it is watched anew, and what is stored of it is told anew. */
  beginCamera(camera: string): void {
    const of = this.#cameras.get(camera);
    if (of) {
      Object.assign(of, unheard());
      if (of.version?.by === 'person') of.recalibrator.forget(Date.parse(of.version.at));
      this.#adopt(camera, of, of.revision, of.version);
      if (this.#isWatched(camera)) this.#engine.metrics.set('lookahead_drift', { camera }, 0);
    }
  }

  /** It is watched no more: what is kept of it stays known, what was heard of it is not needed. */
  endCamera(camera: string): void {
    const of = this.#cameras.get(camera);
    if (of) Object.assign(of, unheard());
  }

  /** What is applied to the camera's next forecast; null: nothing. */
  of(camera: string): Recalibration | null {
    const version = this.#cameras.get(camera)?.version ?? null;
    return this.#engine.enabled && this.#fits(version) ? recalibrationOf(version) : null;
  }

  driftOf(camera: string): Score['drift'] {
    const drift = this.#cameras.get(camera)?.drift.drift;
    if (!drift) return null;
    const { sinceMs, recent, usual } = drift;
    return { since: new Date(sinceMs).toISOString(), recent, usual };
  }

  /** How many outcomes of a camera it goes by. */
  heard(camera: string): number {
    return this.#cameras.get(camera)?.recalibrator.heard ?? 0;
  }

  /** An outcome of an earlier run: it is known, and changes nothing by itself. */
  remember(outcome: Outcome): void {
    // What another bundle said teaches nothing of this one.
    if (!isOfBundle(outcome, this.#engine.bundleSha256())) return;
    const of = this.#cameraOf(outcome.camera);
    noteDoubt(of.recalibrator, outcome);
    const evidence = evidenceOf(outcome);
    if (evidence) of.recalibrator.note(evidence);
    const mark = driftMarkOf(outcome);
    if (mark) of.drift = watchDrift(of.drift, mark, defaultDrift);
  }

  #learn(outcome: Outcome): void {
    // What another bundle said teaches nothing of this one.
    if (!isOfBundle(outcome, this.#engine.bundleSha256())) return;
    const { camera } = outcome;
    const of = this.#cameraOf(camera);
    this.#watchSkill(camera, of, outcome);
    noteDoubt(of.recalibrator, outcome);
    const evidence = evidenceOf(outcome);
    if (!evidence || !of.recalibrator.note(evidence)) return;
    if (!this.#engine.enabled || of.isWriting || of.version?.frozen === true) return;
    const inForce = of.version && this.#fits(of.version) ? of.version : bundlesOwn;
    const next = of.recalibrator.next(inForce);
    if (next === inForce || !('weight' in next)) return;
    void this.#keep(camera, of, next);
  }

  /** Whether it was learned of the bundle that forecasts now. */
  #fits(version: CalibrationVersion | null): boolean {
    return version?.bundleSha256 === this.#engine.bundleSha256();
  }

  async #keep(
    camera: string,
    of: OfCamera,
    {
      temperature,
      nothingBias,
      outcomes,
    }: { temperature: number; nothingBias: number; outcomes: number },
  ): Promise<void> {
    const { console, metrics, now } = this.#engine;
    const bundleSha256 = this.#engine.bundleSha256();
    const at = new Date(now()).toISOString();
    const entry = {
      ...({ schema: 'lookahead.calibration.v1', by: 'engine', frozen: false } as const),
      ...{ temperature, nothingBias, outcomes, at, bundleSha256 },
    };
    of.isWriting = true;
    try {
      const version = await this.#store.put(camera, encodeEntry(entry), of.revision);
      // A person was faster: the watch tells what that is.
      if (version === null) return;
      if (version > of.revision) this.#adopt(camera, of, version, { ...entry, version });
      if (!this.#isWatched(camera)) return;
      metrics.add('lookahead_recalibrations_total', { camera });
      console.log(
        'info',
        `${camera}: chances recalibrated by ${String(outcomes)} outcomes: temperature ${temperature.toFixed(2)}, nothing ${nothingBias.toFixed(2)} nats (version ${String(version)})`,
      );
    } catch (error) {
      // The next fit tries again.
      console.log('debug', `${camera}: recalibration not kept: ${messageOf(error)}`);
    } finally {
      of.isWriting = false;
    }
  }

  /** Another has written, or this engine a moment ago, or the connection is a new one. */
  #follow({ key: camera, revision, data }: StoredValue): void {
    const of = this.#cameraOf(camera);
    this.#complaint = '';
    if (revision <= of.revision) return;
    const entry = data && decodeEntry(data, revision);
    const { console } = this.#engine;
    if (data && !entry)
      console.log(
        'warn',
        `${camera}: version ${String(revision)} of its calibration cannot be used, its values are not what they may be; the bundle's own chances are published. Go back to another one with ./lookahead calibration.`,
      );
    if (entry && !this.#fits(entry))
      console.log(
        'info',
        `${camera}: version ${String(revision)} of its calibration was learned of another bundle and is not used${entry.frozen ? '; as it is frozen, nothing else is learned' : ''}.`,
      );
    if (entry?.by === 'person') of.recalibrator.forget(Date.parse(entry.at));
    this.#adopt(camera, of, revision, entry);
  }

  #adopt(camera: string, of: OfCamera, revision: number, version: CalibrationVersion | null): void {
    of.revision = revision;
    of.version = version;
    if (!this.#isWatched(camera)) return;
    const { temperature, nothingBias } = this.of(camera) ?? bundlesOwn;
    const { metrics } = this.#engine;
    metrics.set('lookahead_recalibration_temperature', { camera }, temperature);
    metrics.set('lookahead_recalibration_nothing_bias', { camera }, nothingBias);
  }

  /** Once, however often it is tried in vain. */
  #complain(error: Error): void {
    const remedy = error instanceof LookaheadError ? ` ${error.remedy}` : '';
    const complaint = `Calibrations are not followed, what is in force stays so: ${messageOf(error)}${remedy}`;
    if (this.#engine.enabled && complaint !== this.#complaint)
      this.#engine.console.log('warn', complaint);
    this.#complaint = complaint;
  }

  #watchSkill(camera: string, of: OfCamera, outcome: Outcome): void {
    const mark = driftMarkOf(outcome);
    if (!mark) return;
    const before = of.drift.drift;
    of.drift = watchDrift(of.drift, mark, defaultDrift);
    const { drift } = of.drift;
    this.#engine.metrics.set('lookahead_drift', { camera }, drift ? 1 : 0);
    if (drift && !before)
      this.#engine.console.log(
        'warn',
        `${camera}: forecasts are worth less than they were: skill over the base rate ${drift.recent.toFixed(2)}, usually ${drift.usual.toFixed(2)}. Something there has changed.`,
      );
    if (!drift && before)
      this.#engine.console.log('info', `${camera}: forecasts are worth what they were again.`);
  }

  #isWatched(camera: string): boolean {
    return this.#engine.isWatched?.(camera) ?? true;
  }

  #cameraOf(camera: string): OfCamera {
    const known = this.#cameras.get(camera);
    if (known) return known;
    const made = { ...unheard(), version: null, revision: 0, isWriting: false };
    this.#cameras.set(camera, made);
    return made;
  }
}

function unheard(): Pick<OfCamera, 'recalibrator' | 'drift'> {
  return { recalibrator: new Recalibrator(), drift: noDrift };
}

function noteDoubt(
  recalibrator: Recalibrator,
  { because, target, calibrated, windowTo }: Outcome,
): void {
  const counts = because === 'doubtful' && target !== 'within' && calibrated !== false;
  if (counts && windowTo !== undefined) recalibrator.noteDoubt(Date.parse(windowTo));
}
