/** Reads the configuration, lays environment and flags over it, and says exactly what is wrong where. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { invalid, readYaml } from './config-file.js';
import { ConfigSchema, keysAt, overrides, type Config } from './config.js';
import { LookaheadError } from './errors.js';
import { accessProblems } from './http/access.js';
import {
  addressHindrance,
  headerHindrance,
  secretHindrance,
  type WebhookConfig,
} from './sinks/webhook-config.js';

export interface ConfigSources {
  /** Path of the YAML file; null: what LOOKAHEAD_CONFIG names, else defaults only. */
  readonly file: string | null;
  /** `NAME=URL`, in order. */
  readonly cameras: readonly string[];
  /** Values of the flags of `overrides`, by flag name. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Throws `config_unreadable` or `config_invalid`; the message holds a line for each problem. */
export function loadConfig(given: ConfigSources): Config {
  const named = given.file ?? given.env['LOOKAHEAD_CONFIG'] ?? '';
  const sources = { ...given, file: named === '' ? null : named };
  const yaml = sources.file === null ? null : readYaml(sources.file, sources.cwd);
  const values = yaml?.values ?? {};
  const from = layOver(values, sources);
  const parsed = ConfigSchema.safeParse(values);
  const where = (path: readonly PropertyKey[], onKey: boolean): string => {
    const source =
      from.get(path.map(String).join('.')) ?? from.get(path.slice(0, 2).map(String).join('.'));
    return source ?? yaml?.locate(path, onKey) ?? 'configuration';
  };
  if (!parsed.success) {
    throw invalid(parsed.error.issues.flatMap((issue) => describe(issue, where)));
  }
  return withSecrets(withPaths(parsed.data, sources, from), sources, where);
}

type Where = (path: readonly PropertyKey[], onKey: boolean) => string;

function describe(issue: z.core.$ZodIssue, where: Where): string[] {
  const path = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const place = where([...path, key], true);
      if (!/^[\w<$.-]{1,64}$/.test(key)) return `${dotted(path)}this is no key\n  at ${place}`;
      const near = nearest(key, keysAt(path));
      const hint = near === undefined ? '' : `; did you mean "${near}"?`;
      return `${dotted(path)}unknown key "${key}"${hint}\n  at ${place}`;
    });
  }
  if (issue.code === 'invalid_key') {
    const why = issue.issues.map(({ message, code }) =>
      code === 'invalid_format' ? 'use 1 to 64 letters, digits, "_" or "-"' : message,
    );
    const name = JSON.stringify(String(path.at(-1)).slice(0, 80));
    return [
      `${dotted(path.slice(0, -1))}the name ${name}: ${why.join('; ')}\n  at ${where(path, true)}`,
    ];
  }
  return [`${dotted(path)}${issue.message}\n  at ${where(path, false)}`];
}

function dotted(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.').slice(0, 200)}: `;
}

/** The known key with the fewest changed letters, if it is near enough to be a slip. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const scored = known.map((name) => ({ name, distance: distance(key, name) }));
  const best = scored.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= Math.max(2, best.name.length / 3)
    ? best.name
    : undefined;
}

/** Levenshtein's, letters compared without case. */
function distance(a: string, b: string): number {
  const from = a.toLowerCase().slice(0, 64);
  const to = b.toLowerCase();
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** Sets in `values` what flags and environment say; returns where each such value came from, by dotted path. */
function layOver(values: Record<string, unknown>, sources: ConfigSources): Map<string, string> {
  const from = new Map<string, string>();
  for (const { path, flag, env, kind } of overrides) {
    const flagged = sources.flags[flag];
    const text = flagged ?? sources.env[env];
    if (text === undefined || text === '') continue;
    const value = kind === 'list' ? text.split(',') : kind === 'number' ? Number(text) : text;
    put(values, path, value);
    from.set(path.join('.'), flagged === undefined ? `environment ${env}` : `--${flag}`);
  }
  for (const camera of sources.cameras) {
    const cut = camera.indexOf('=');
    if (cut < 1 || camera.slice(0, cut) === '__proto__') {
      throw new LookaheadError(
        'usage',
        '--camera needs a name and an address.',
        'Write --camera gate=rtsp://user:password@host/stream, or --camera gate=file:PATH.',
      );
    }
    const name = camera.slice(0, cut);
    put(values, ['cameras', name], { ...privacyOf(values, name), url: camera.slice(cut + 1) });
    from.set(`cameras.${name}`, `--camera ${name}`);
  }
  return from;
}

/** The address of a camera in the file is replaced, and its login with it; what must not be seen or kept stays so. */
function privacyOf(
  values: Record<string, unknown>,
  name: string,
): { privacyMasks?: unknown; harvest?: unknown } {
  // Whatever the file holds: what has a wrong type is left for the schema to name.
  const cameras = new Map(Object.entries(values['cameras'] ?? {}) as [string, unknown][]);
  const { privacyMasks, harvest } = (cameras.get(name) ?? {}) as Record<string, unknown>;
  return {
    ...(privacyMasks === undefined ? {} : { privacyMasks }),
    ...(harvest === undefined ? {} : { harvest }),
  };
}

function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = values;
  for (const part of path.slice(0, -1)) {
    const below = node[part];
    // A wrong type in the file is left alone, so that the schema names it.
    if (below !== undefined && below !== null && typeof below !== 'object') return;
    const next = (below ?? {}) as Record<string, unknown>;
    node[part] = next;
    node = next;
  }
  Object.defineProperty(node, path.at(-1)!, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

/** Relative paths count from the file that holds them; from a flag, from the working directory. */
function withPaths(config: Config, sources: ConfigSources, from: Map<string, string>): Config {
  const folder = sources.file === null ? sources.cwd : dirname(resolve(sources.cwd, sources.file));
  const base = (key: string): string => (from.has(key) ? sources.cwd : folder);
  const absolute = (key: string, path: string | null): string | null =>
    path === null ? null : resolve(base(key), path);
  const cameras = Object.entries(config.cameras).map(([name, camera]) => {
    const key = `cameras.${name}`;
    const file = /^file:(.+)$/i.exec(camera.url)?.[1];
    const url = file === undefined ? camera.url : `file:${resolve(base(key), file)}`;
    return [name, { ...camera, url, passwordFile: absolute(key, camera.passwordFile) }] as const;
  });
  const { storeDir, credsFile, caFile } = config.nats;
  return {
    ...config,
    cameras: Object.fromEntries(cameras),
    credentialsFile: absolute('credentialsFile', config.credentialsFile),
    harvest: { ...config.harvest, dir: absolute('harvest.dir', config.harvest.dir) },
    http: {
      ...config.http,
      passwordFile: absolute('http.passwordFile', config.http.passwordFile),
    },
    bundle: config.bundle.includes('/') ? resolve(base('bundle'), config.bundle) : config.bundle,
    nats: {
      ...config.nats,
      storeDir: absolute('nats.storeDir', storeDir),
      credsFile: absolute('nats.credsFile', credsFile),
      caFile: absolute('nats.caFile', caFile),
    },
  };
}

/** Reads `${NAME}` and password files, in the fields that are meant for it and nowhere else. */
function withSecrets(config: Config, sources: ConfigSources, where: Where): Config {
  const problems: string[] = [];
  const secret = (
    path: readonly string[],
    value: string | null,
    hindrance: (found: string) => string | undefined = () => undefined,
  ): string | null => {
    const name = value === null ? undefined : /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(value)?.[1];
    if (name === undefined) return value;
    const found = sources.env[name];
    const why =
      found === undefined
        ? 'is not set'
        : /[\r\n\0]/.test(found)
          ? 'has more than one line'
          : hindrance(found);
    if (found !== undefined && why === undefined) return found;
    problems.push(
      `${dotted(path)}the environment variable ${name} ${why}\n  at ${where(path, false)}`,
    );
    return null;
  };
  const fileSecret = (path: readonly string[], file: string): string | null => {
    try {
      return readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      problems.push(`${dotted(path)}the file cannot be read (${code})\n  at ${where(path, false)}`);
      return null;
    }
  };
  const cameras = Object.entries(config.cameras).map(([name, camera]) => {
    const at = ['cameras', name];
    const password =
      camera.passwordFile === null
        ? secret([...at, 'password'], camera.password)
        : fileSecret([...at, 'passwordFile'], camera.passwordFile);
    const username = secret([...at, 'username'], camera.username);
    return [name, { ...camera, username, password }] as const;
  });
  const nats = {
    ...config.nats,
    user: secret(['nats', 'user'], config.nats.user),
    password: secret(['nats', 'password'], config.nats.password),
    token: secret(['nats', 'token'], config.nats.token),
    dashboardUser: secret(['nats', 'dashboardUser'], config.nats.dashboardUser),
    dashboardPassword: secret(['nats', 'dashboardPassword'], config.nats.dashboardPassword),
  };
  const { passwordFile } = config.http;
  const http = {
    ...config.http,
    password:
      passwordFile === null
        ? secret(['http', 'password'], config.http.password)
        : fileSecret(['http', 'passwordFile'], passwordFile),
    token: secret(['http', 'token'], config.http.token),
  };
  if (problems.length === 0) {
    for (const { key, why } of accessProblems(http)) {
      const named = key === 'password' && passwordFile !== null ? 'passwordFile' : key;
      const path = ['http', named];
      problems.push(`${dotted(path)}${why}\n  at ${where(path, false)}`);
    }
  }
  const webhooks = Object.entries(config.webhooks).map(([name, webhook]) => {
    const at = ['webhooks', name];
    const headers = Object.entries(webhook.headers).map(([key, value]) => [
      key,
      secret([...at, 'headers', key], value, headerHindrance) ?? '',
    ]);
    return [
      name,
      {
        ...webhook,
        url: secret([...at, 'url'], webhook.url, addressHindrance) ?? '',
        headers: Object.fromEntries(headers) as WebhookConfig['headers'],
        secret: secret([...at, 'secret'], webhook.secret, secretHindrance),
      },
    ] as const;
  });
  if (problems.length > 0) throw invalid(problems);
  return {
    ...config,
    cameras: Object.fromEntries(cameras),
    nats,
    http,
    webhooks: Object.fromEntries(webhooks),
  };
}
