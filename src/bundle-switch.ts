/** A running engine goes over to another bundle, and back: by new child processes beside the old ones. */
import type { Subscription } from 'rxjs';
import { z } from 'zod';
import { watchCameras, type CameraSource, type Engine } from './cameras.js';
import { LookaheadError } from './errors.js';
import type { Heartbeat } from './messages.js';
import type { ModelPorts } from './models/model-ports.js';
import type { SwitchableModels } from './models/switchable-models.js';
import { bundleDirOf } from './places.js';
import { resumeCameras } from './resume-cameras.js';

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
export const BundleShowSchema = z.object({
  schema: z.literal('lookahead.bundle.v1'),
  site: z.string().describe('The place; third token of the subject.'),
  current: BundleFactsSchema,
  since: z.iso.datetime().describe('Since when it is in use. UTC, milliseconds, ISO 8601.'),
  previous: z
    .string()
    .nullable()
    .describe('What going back would lead to. null: there was none before.'),
});
export type BundleShow = z.infer<typeof BundleShowSchema>;

export interface SwitchOptions {
  readonly sources: readonly CameraSource[];
  readonly engine: Omit<Engine, 'epoch' | 'models'> & { readonly models: SwitchableModels };
  /** Opens and checks a bundle and starts its children. */
  readonly open: (bundleDir: string, epoch: number) => Promise<ModelPorts>;
}

/** Watches the cameras by one bundle at a time. */
export class BundleSwitch {
  readonly #options: SwitchOptions;
  #watching: Subscription | null = null;
  #epoch: number;
  #sinceMs = Date.now();
  #bundle: string;
  #previous: string | null = null;
  #isSwitching = false;
  #isClosed = false;

  constructor(options: SwitchOptions, epoch: number) {
    this.#options = options;
    this.#epoch = epoch;
    this.#bundle = options.engine.config.bundle;
    const { bus, metrics } = options.engine;
    bus.serve('bundle.show', 'Which bundle is in use.', () => this.show());
    bus.serve('bundle.use', 'Goes over to another bundle.', (request) => this.use(request));
    metrics.set('lookahead_model_info', infoOf(this.facts), 1);
    this.#watch();
  }

  /** That of the cameras' messages. */
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
   * Resolves when all cameras are watched by the new bundle. Whatever fails before that changes nothing.
   * @throws LookaheadError request_invalid, queue_full, bundle_invalid, model_lost
   */
  async use(request: unknown): Promise<BundleShow> {
    const bundle = this.#wanted(request);
    if (this.#isSwitching)
      throw new LookaheadError(
        'queue_full',
        'The engine is going over to another bundle already.',
        'Ask again when it has: ./lookahead bundle show.',
      );
    this.#isSwitching = true;
    const { engine, open } = this.#options;
    const { console, metrics, models, windows, baselines, recalibrations } = engine;
    try {
      const epoch = Math.max(Date.now(), this.#epoch + 1);
      const next = await open(bundleDirOf({ bundle }), epoch);
      if (this.#isClosed) {
        await next.close();
        throw new LookaheadError('request_failed', 'The engine is stopping.', 'Start it again.');
      }
      this.#watching?.unsubscribe();
      const last = models.replace(next);
      // Of other labels, perhaps, and of other chances.
      baselines.clear();
      windows.clear();
      recalibrations.begin();
      metrics.set('lookahead_model_info', infoOf(factsOf(last)), 0);
      metrics.set('lookahead_model_info', infoOf(this.facts), 1);
      [this.#previous, this.#bundle] = [this.#bundle, bundle];
      [this.#epoch, this.#sinceMs] = [epoch, Date.now()];
      this.#watch();
      console.log('info', `bundle  ${this.facts.name} ${this.facts.version}, from now on`);
      await last.close();
      return this.show();
    } finally {
      this.#isSwitching = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#watching?.unsubscribe();
  }

  /** Forecasts that the last bundle left open get their outcome as after a restart. */
  #watch(): void {
    const { sources } = this.#options;
    const engine = { ...this.#options.engine, epoch: this.#epoch };
    this.#watching = watchCameras(sources, engine);
    this.#watching.add(
      resumeCameras(
        sources.map(({ name }) => name),
        engine,
      ),
    );
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
