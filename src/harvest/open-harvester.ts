/** The harvest of one engine, where its configuration consents; else nothing is remembered and no folder made. */
import type { CameraConfig, Config } from '../config.js';
import type { Console } from '../console.js';
import type { Metrics } from '../metrics/registry.js';
import type { Manifest } from '../models/manifest.js';
import { defaultHarvestDir } from '../places.js';
import type { Ports } from '../types.js';
import { HarvestFolder } from './harvest-folder.js';
import { Harvester, type TapLife } from './harvester.js';
import type { FolderLimits } from './make-room.js';

export interface HarvestTap {
  /** Ports with an ear at them; the very same ports for a camera of which nothing may be kept. */
  readonly tap: (
    camera: { readonly name: string; readonly camera?: CameraConfig | undefined },
    ports: Ports,
    life: TapLife,
  ) => Ports;
  readonly close: () => void;
}

interface HarvestingEngine {
  readonly config: Pick<Config, 'harvest'>;
  readonly tools: { readonly ffmpegPath: string };
  readonly models: { readonly bundle: { readonly manifest: Manifest } };
  readonly metrics: Pick<Metrics, 'add' | 'set'>;
  readonly console: Pick<Console, 'log'>;
  readonly onFatal: (error: unknown) => void;
}

export function limitsOf({ maxMib, maxAgeH }: Config['harvest']): FolderLimits {
  return { bytesMax: maxMib * 2 ** 20, ageMaxMs: maxAgeH * 3_600_000 };
}

export function harvestDirOf({ harvest }: Pick<Config, 'harvest'>): string {
  return harvest.dir ?? defaultHarvestDir;
}

/** @throws LookaheadError harvest_unusable */
export function openHarvester(engine: HarvestingEngine): HarvestTap {
  const { config, tools, models, metrics, console, onFatal } = engine;
  if (!config.harvest.enabled) return { tap: (_camera, ports) => ports, close: () => undefined };
  const dir = harvestDirOf(config);
  const limits = limitsOf(config.harvest);
  const harvester = new Harvester({
    config: config.harvest,
    manifest: models.bundle.manifest,
    ffmpegPath: tools.ffmpegPath,
    folder: HarvestFolder.open({
      ...limits,
      dir,
      now: Date.now,
      onDeleted: (reason) => metrics.add('lookahead_harvest_deleted_total', { reason }),
    }),
    metrics,
    warn: (text) => console.log('warn', text),
    now: Date.now,
    onFatal,
  });
  const { maxMib, maxAgeH } = config.harvest;
  console.log('info', `harvest ${dir}, at most ${maxMib} MiB and ${maxAgeH} h old`);
  return {
    tap: (of, ports, life) => {
      if (of.camera?.harvest === false) return ports;
      const privacyMasks = (): boolean => (of.camera?.privacyMasks ?? []).length > 0;
      return harvester.tap({ name: of.name, privacyMasks }, ports, life);
    },
    close: () => harvester.close(),
  };
}
