/** The dashboard as it was built: read once, so that nothing but these files can ever be asked for. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';
import { Refusal, type Reply } from './reply.js';
import type { Route, Routes } from './routes.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

const filesMax = 1000;
const bytesMax = 64 << 20;

/** Strangers get them too: the login is one of these pages, and they hold nothing of the engine. */
export function dashboardRoutes(dir: string): Routes {
  const files = readFiles(dir);
  if (!files.has('/index.html')) return new Map([['/', notBuilt]]);
  const routes = new Map<string, Route>();
  for (const [path, reply] of files) routes.set(path, { isOpen: true, GET: () => reply });
  return routes.set('/', routes.get('/index.html')!);
}

const notBuilt: Route = {
  isOpen: true,
  GET: () => {
    throw new Refusal(
      503,
      'request_failed',
      'The dashboard is not built.',
      'Run npm run build in the folder of Lookahead, and start it again.',
    );
  },
};

/** By path. Regular files only: a link could lead out of the folder. */
function readFiles(dir: string): ReadonlyMap<string, Reply> {
  const replies = new Map<string, Reply>();
  let bytes = 0;
  const names = namesIn(dir);
  const realDir = names.length === 0 ? dir : realpathSync(dir);
  for (const name of names) {
    const file = join(realDir, name);
    const type = types[extname(name).toLowerCase()];
    if (type === undefined || realpathSync(file) !== file || !statSync(file).isFile()) continue;
    const body = readFileSync(file);
    bytes += body.length;
    if (replies.size >= filesMax || bytes > bytesMax) {
      throw new LookaheadError(
        'config_invalid',
        `${dir} holds more than ${filesMax} files or ${bytesMax >> 20} MiB: that is no dashboard.`,
        'Delete the folder and build it again with npm run build.',
      );
    }
    const path = `/${name.split(sep).join('/')}`;
    // Vite puts a hash of the content into the names of these.
    const caching = path.startsWith('/assets/')
      ? 'public, max-age=31536000, immutable'
      : 'no-store';
    replies.set(path, { status: 200, type, body, headers: { 'cache-control': caching } });
  }
  return replies;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new LookaheadError(
      'config_invalid',
      `The dashboard cannot be read: ${messageOf(error)}.`,
      'Delete the folder and build it again with npm run build.',
      { cause: error },
    );
  }
}
