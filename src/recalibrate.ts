/** Each camera's chances mended by its own outcomes: learned as they come, kept in versions, noticed when skill falls. */
import { filter, type Subject, type Subscription } from 'rxjs';
import type { Closers } from './closers.js';
import type { Console } from './console.js';
import { messageOf } from './errors.js';
import type { Message, Outcome, Recalibration, Score } from './messages.js';
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
  /** Of the bundle in use, now. */
  readonly bundleSha256: () => string;
  /** False: what is kept is neither used nor changed. Skill is watched all the same. */
  readonly enabled: boolean;
  readonly messages: Subject<Message>;
  readonly metrics: Metrics;
  readonly console: Pick<Console, 'log'>;
  readonly closers: Closers;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

interface OfCamera {
  readonly recalibrator: Recalibrator;
  version: CalibrationVersion | null;
  drift: DriftState;
  isWriting: boolean;
}

export class Recalibrations {
  readonly #engine: Recalibrating;
  readonly #store: KeyValues;
  #stopFollowing: () => void = () => undefined;
  readonly #cameras = new Map<string, OfCamera>();

  /** Follows the outcomes that are published and the versions that are kept until the closers are called. */
  constructor(engine: Recalibrating) {
    this.#engine = engine;
    const { bus, messages, closers } = engine;
    this.#store = bus.keyValues(calibrationBucket.name, calibrationBucket.versions);
    this.begin();
    const hearing: Subscription = messages.pipe(filter(isOutcome)).subscribe({
      next: (outcome) => this.#learn(outcome),
      error: () => undefined,
    });
    closers.add(() => {
      hearing.unsubscribe();
      this.#stopFollowing();
    });
  }

  /** Another bundle: what was learned of the last one's chances says nothing of these, unless it is kept. */
  begin(): void {
    this.#stopFollowing();
    for (const [camera, of] of this.#cameras) this.#adopt(camera, of, null);
    this.#cameras.clear();
    this.#stopFollowing = this.#store.watch((camera, value) => this.#follow(camera, value));
  }

  /** What is applied to the camera's next forecast; null: nothing. */
  of(camera: string): Recalibration | null {
    return this.#engine.enabled
      ? recalibrationOf(this.#cameras.get(camera)?.version ?? null)
      : null;
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
    if (this.#isOfAnother(outcome)) return;
    const of = this.#cameraOf(outcome.camera);
    const evidence = evidenceOf(outcome);
    if (evidence) of.recalibrator.note(evidence);
    const mark = driftMarkOf(outcome);
    if (mark) of.drift = watchDrift(of.drift, mark, defaultDrift);
  }

  #learn(outcome: Outcome): void {
    if (this.#isOfAnother(outcome)) return;
    const { camera } = outcome;
    const of = this.#cameraOf(camera);
    this.#watchSkill(camera, of, outcome);
    const evidence = evidenceOf(outcome);
    if (!evidence || !of.recalibrator.note(evidence)) return;
    if (!this.#engine.enabled || of.isWriting || of.version?.frozen === true) return;
    const inForce = of.version ?? bundlesOwn;
    const next = of.recalibrator.next(inForce);
    if (next === inForce || !('weight' in next)) return;
    void this.#keep(camera, of, next);
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
      const version = await this.#store.put(camera, encodeEntry(entry));
      this.#adopt(camera, of, { ...entry, version });
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

  /** Another has written, or this engine a moment ago. */
  #follow(camera: string, value: StoredValue | null): void {
    const of = this.#cameraOf(camera);
    const entry = value && decodeEntry(value.data, value.revision);
    const { console, bundleSha256 } = this.#engine;
    if (value && !entry) {
      console.log(
        'warn',
        `${camera}: version ${String(value.revision)} of its calibration is not one; the bundle's own chances are published.`,
      );
    }
    if (entry && of.version && entry.version <= of.version.version) return;
    if (entry && entry.bundleSha256 !== bundleSha256()) {
      console.log('debug', `${camera}: its calibration belongs to another bundle and is not used.`);
      this.#adopt(camera, of, null);
      return;
    }
    // What a person has set is not argued with by what came before it.
    if (entry?.by === 'person') of.recalibrator.forget();
    this.#adopt(camera, of, entry);
  }

  #adopt(camera: string, of: OfCamera, version: CalibrationVersion | null): void {
    of.version = version;
    const { temperature, nothingBias } = this.of(camera) ?? bundlesOwn;
    const { metrics } = this.#engine;
    metrics.set('lookahead_recalibration_temperature', { camera }, temperature);
    metrics.set('lookahead_recalibration_nothing_bias', { camera }, nothingBias);
  }

  /** What another bundle's chances were worth says nothing of this one's. */
  #isOfAnother({ bundle }: Outcome): boolean {
    return bundle !== undefined && bundle.sha256 !== this.#engine.bundleSha256();
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

  #cameraOf(camera: string): OfCamera {
    const known = this.#cameras.get(camera);
    if (known) return known;
    const made = {
      recalibrator: new Recalibrator(),
      version: null,
      drift: noDrift,
      isWriting: false,
    };
    this.#cameras.set(camera, made);
    return made;
  }
}

function isOutcome(message: Message): message is Outcome {
  return message.schema === 'lookahead.outcome.v1';
}
