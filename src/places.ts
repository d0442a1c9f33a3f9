/** Where things lie. `src` and `dist` are equally deep, so this holds for both. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';

/** Of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Of Lookahead, as package.json has it. */
export const { version: engineVersion } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as {
  version: string;
};

const given = process.env['LOOKAHEAD_STATE_DIR'] ?? '';

/**
 * What the engine keeps where the configuration names no folder. LOOKAHEAD_STATE_DIR puts it elsewhere, where the program
 * itself lies read-only, as in an image.
 */
export const cacheDir = given === '' ? join(root, '.cache') : resolve(given);

/** Of the server that is started beside the engine. */
export const defaultStoreDir = join(cacheDir, 'nats');

/** Of the dashboard as Vite builds it. */
export const dashboardDir = join(root, 'dist', 'dashboard');

/** Of windows that are kept with consent. */
export const defaultHarvestDir = join(cacheDir, 'harvest');

/** Logins of cameras that were added while the engine ran. */
export const defaultCredentialsFile = join(cacheDir, 'credentials.json');

export function bundleDirOf(config: Pick<Config, 'bundle'>): string {
  return config.bundle.includes('/') ? config.bundle : join(root, 'bundles', config.bundle);
}
