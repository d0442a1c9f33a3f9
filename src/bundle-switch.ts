/** A running engine goes over to another bundle, and back: by new child processes beside the old ones. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscription } from 'rxjs';
import { z } from 'zod';
import { watchCameras, type Engine, type Watch } from './cameras.js';
import { LookaheadError, messageOf } from './errors.js';
import type { Heartbeat } from './messages.js';
import type { ModelPorts } from './models/model-ports.js';
import type { SwitchableModels } from './models/switchable-models.js';
import { bundleDirOf } from './places.js';
import { resumeCamera } from './resume-cameras.js';

/** A bundle below `bundles/`: nothing that could lead out of it. */
const nameOfBundle = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const BundleUseSchema = z.object({
  schema: z.literal('lookahead.bundle.use.v1'),
  bundle: z
    .string()
    .min(1)
    .max(4096)
    .nullable()
    .describe(
      'A name below bundles/, or a path that models.switchable lists. null: the one before.',
    ),
});

const BundleFactsSchema = z
  .object({
    name: z.string().describe('Name of the bundle.'),
    version: z.string().describe('Its version.'),
    sha256: z.string().describe('Digest of its manifest, hexadecimal.'),
  })
  .describe('The bundle in use.');
export const BundleShowSchema = z
  .object({
    schema: z.literal('lookahead.bundle.v1'),
    site: z.string().describe('The place; third token of the subject.'),
    current: BundleFactsSchema,
    since: z.iso.datetime().describe('Since when it is in use. UTC, milliseconds, ISO 8601.'),
    previous: z
      .string()
      .nullable()
      .describe('What going back would lead to. null: there was none before.'),
  })
  .describe(
    'Reply of `bundle.use`, once the cameras are watched by the new bundle, and of `bundle.show`, which is asked with nothing.',
  );
export type BundleShow = z.infer<typeof BundleShowSchema>;

export interface SwitchOptions {
  readonly engine: Omit<Engine, 'epoch' | 'models'> & { readonly models: SwitchableModels };
  /** Opens and checks a bundle and starts its children. */
  readonly open: (bundleDir: string) => Promise<ModelPorts>;
  readonly watch?: typeof watchCameras;
  /** Gives what an earlier run or bundle left open its outcome. */
  readonly resume?: typeof resumeCamera;
}

const outboxPollMs = 100;

/** Watches the cameras by one bundle at a time. */
export class BundleSwitch {
  readonly #options: SwitchOptions;
  #watching: Subscription | null = null;
  /** Of the cameras that are watched since the last switch. */
  #epoch: number;
  /** The first and the greatest one that were given. */
  readonly #firstEpoch: number;
  #lastEpoch: number;
  #sinceMs = Date.now();
  #bundle: string;
  #previous: string | null = null;
  /** Resolves when the switch that is under way has ended, however it ended. */
  #switching: Promise<void> | null = null;
  /** One reading of what is stored after the other: at once, two would decide the same forecast. */
  #resumed: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: SwitchOptions, epoch: number) {
    this.#options = options;
    this.#epoch = epoch;
    this.#firstEpoch = epoch;
    this.#lastEpoch = epoch;
    this.#bundle = options.engine.config.bundle;
    const { bus, metrics } = options.engine;
    bus.serve('bundle.show', 'Which bundle is in use.', () => this.show());
    bus.serve('bundle.use', 'Goes over to another bundle.', (request) => this.use(request));
    metrics.set('lookahead_model_info', infoOf(this.facts), 1);
    this.#watch();
  }

  /** That of the messages of all cameras that were there when the bundle came into use. */
  get epoch(): number {
    return this.#epoch;
  }

  get facts(): Heartbeat['bundle'] {
    return factsOf(this.#options.engine.models);
  }

  show(): BundleShow {
    return {
      schema: 'lookahead.bundle.v1',
      site: this.#options.engine.config.site,
      current: this.facts,
      since: new Date(this.#sinceMs).toISOString(),
      previous: this.#previous,
    };
  }

  /**
   * Resolves when all cameras are watched by the new bundle, at once where it is the very same. Whatever fails before that
   * changes nothing.
   * @throws LookaheadError request_invalid, queue_full, bundle_invalid, model_lost
   */
  async use(request: unknown): Promise<BundleShow> {
    const bundle = this.#wanted(request);
    if (this.#isClosed) throw stopping();
    if (this.#switching)
      throw new LookaheadError(
        'queue_full',
        'The engine is going over to another bundle already.',
        'Ask again when it has: ./lookahead bundle show.',
      );
    const switching = this.#switchTo(bundle);
    this.#switching = switching.catch(() => undefined).finally(() => (this.#switching = null));
    try {
      await switching;
    } catch (error) {
      const { console } = this.#options.engine;
      console.log('warn', `bundle  ${bundle} is not used: ${messageOf(error)}`);
      throw error;
    }
    return this.show();
  }

  /** Leaves no child of a switch that is under way behind; those in use are closed by whoever opened the first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watching?.unsubscribe();
    await this.#switching;
  }

  async #switchTo(bundle: string): Promise<void> {
    const { engine, open } = this.#options;
    const { console, metrics, models, windows, baselines, onFatal } = engine;
    const next = await open(bundleDirOf({ bundle }));
    // Else going back would lead nowhere.
    const isSame = next.bundle.sha256 === models.bundle.sha256;
    if (isSame || this.#isClosed) {
      await next.close();
      if (isSame) return;
      throw stopping();
    }
    this.#watching?.unsubscribe();
    const last = models.replace(next);
    // Of other labels, perhaps, and of other chances.
    baselines.clear();
    windows.clear();
    engine.recalibrations.begin();
    engine.scores.begin();
    metrics.set('lookahead_model_info', infoOf(factsOf(last)), 0);
    metrics.set('lookahead_model_info', infoOf(this.facts), 1);
    [this.#previous, this.#bundle] = [this.#bundle, bundle];
    [this.#epoch, this.#sinceMs] = [this.#nextEpoch(), Date.now()];
    try {
      this.#watch();
    } catch (error) {
      // No camera is watched any more, and what keeps the new bundle from it would keep the old one from it too.
      onFatal(error);
      await last.close();
      throw error;
    }
    console.log('info', `bundle  ${this.facts.name} ${this.facts.version}, from now on`);
    await last.close();
  }

  #watch(): void {
    const { engine, watch = watchCameras } = this.#options;
    this.#watching = watch(
      { ...engine, epoch: this.#epoch },
      {
        nextEpoch: () => this.#nextEpoch(),
        onBegun: (begun) => {
          this.#resumed = this.#resumed.then(() => this.#resume(begun));
        },
      },
    );
  }

  #nextEpoch(): number {
    this.#lastEpoch = Math.max(Date.now(), this.#lastEpoch + 1);
    return this.#lastEpoch;
  }

  /**
   * Forecasts that the last bundle left open get their outcome as after a restart, and so do those of a camera that comes back.
   * What was published of it waits for the broker, perhaps: it must be stored before it is looked for. What others publish does
   * not matter: with many cameras and a broker that is far away, something of theirs always waits.
   */
  async #resume(begun: Watch): Promise<void> {
    const { engine, resume = resumeCamera } = this.#options;
    const { camera, signal } = begun;
    while (this.#hasBegunAnew && engine.bus.outbox.waiting(camera) > 0 && !signal.aborted)
      await sleep(outboxPollMs);
    // Who watches it later looks for everything that is open.
    if (!signal.aborted) await resume(begun, { ...engine, epoch: this.#epoch });
  }

  /** Whether this engine has published anything before its present epoch. */
  get #hasBegunAnew(): boolean {
    return this.#lastEpoch > this.#firstEpoch;
  }

  #wanted(request: unknown): string {
    const asked = BundleUseSchema.safeParse(request);
    const wrong = (what: string, remedy: string): LookaheadError =>
      new LookaheadError('request_invalid', what, remedy);
    if (!asked.success)
      throw wrong(
        `The request is not understood: ${z.prettifyError(asked.error)}.`,
        'Use ./lookahead bundle use NAME.',
      );
    const bundle = asked.data.bundle ?? this.#previous;
    if (bundle === null)
      throw wrong('There was no bundle before this one.', 'Use ./lookahead bundle use NAME.');
    const { switchable } = this.#options.engine.config.models;
    const isOwn = bundle === this.#options.engine.config.bundle;
    if (nameOfBundle.test(bundle) || switchable.includes(bundle) || isOwn) return bundle;
    throw wrong(
      `The bundle ${JSON.stringify(bundle.slice(0, 80))} is neither a name below bundles/ nor allowed by the configuration.`,
      'Give a name, or list the path under models.switchable.',
    );
  }
}

function stopping(): LookaheadError {
  return new LookaheadError('request_failed', 'The engine is stopping.', 'Start it again.');
}

function factsOf({ bundle }: Pick<ModelPorts, 'bundle'>): Heartbeat['bundle'] {
  const { name, version } = bundle.manifest;
  return { name, version, sha256: bundle.sha256 };
}

function infoOf({ name, version, sha256 }: Heartbeat['bundle']): {
  readonly bundle: string;
  readonly version: string;
  readonly sha256: string;
} {
  return { bundle: name, version, sha256 };
}
