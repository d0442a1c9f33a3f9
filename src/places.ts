/** Where things lie. `src` and `dist` are equally deep, so this holds for both. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';

/** Of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Everything that may be deleted at any time. */
export const cacheDir = join(root, '.cache');

/** Of the server that is started beside the engine. */
export const defaultStoreDir = join(cacheDir, 'nats');

/** Of windows that are kept with consent. */
export const defaultHarvestDir = join(cacheDir, 'harvest');

/** Logins of cameras that were added while the engine ran. */
export const defaultCredentialsFile = join(cacheDir, 'credentials.json');

export function bundleDirOf(config: Pick<Config, 'bundle'>): string {
  return config.bundle.includes('/') ? config.bundle : join(root, 'bundles', config.bundle);
}
