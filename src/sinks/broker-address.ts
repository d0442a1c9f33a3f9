/** Where the NATS servers are and how to log in. Nothing that leaves this file in a message holds a secret. */
import { readFileSync } from 'node:fs';
import { LookaheadError, messageOf } from '../errors.js';

export interface BrokerLogin {
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  readonly token?: string | undefined;
  /** Path of a credentials file (user JWT and seed), as `nsc` writes it. */
  readonly creds?: string | undefined;
  /** Path of the certificates (PEM) that a server's must come from; absent: those of the system. With it only TLS will do. */
  readonly caFile?: string | undefined;
}

export interface BrokerServer {
  /** Without a login: may be printed. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user?: string;
  readonly pass?: string;
}

/**
 * Reads `nats://[user:pass@]host[:port]`, or `host[:port]`. The nats package takes no login from an address, so it
 * is taken out here.
 */
export function parseServer(text: string): BrokerServer {
  const refuse = (): never => {
    throw new LookaheadError(
      'config_invalid',
      `The NATS address ${JSON.stringify(text.slice(text.lastIndexOf('@') + 1, 200))} is not valid.`,
      'Write it as nats://host:4222 (or tls://host:4222).',
    );
  };
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`);
  } catch {
    return refuse();
  }
  const scheme = url.protocol.slice(0, -1);
  if ((scheme !== 'nats' && scheme !== 'tls') || url.hostname === '') return refuse();
  const port = url.port === '' ? 4222 : Number(url.port);
  if (port === 0 || /[\s%]/.test(url.hostname)) return refuse();
  return {
    url: `${scheme}://${url.hostname}:${String(port)}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    tls: scheme === 'tls',
    ...(url.username === '' ? {} : { user: decoded(url.username) }),
    ...(url.password === '' ? {} : { pass: decoded(url.password) }),
  };
}

/** @throws LookaheadError config_unreadable */
export function readLoginFile(what: 'credentials' | 'CA', path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LookaheadError(
      'config_unreadable',
      `The NATS ${what} file ${path} cannot be read: ${messageOf(error)}.`,
      'Check the path and that this user may read it.',
      { cause: error },
    );
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A bare "%" in a password is no encoding.
  }
}
