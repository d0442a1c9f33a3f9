/** Keeps pages of other sites out: a browser on this machine or in this network would carry their requests here. */
import type { IncomingMessage } from 'node:http';
import type { Access } from './access.js';
import { isLoopback } from './loopback.js';
import { Refusal } from './reply.js';

export interface Guard {
  /**
   * On loopback the host must be this machine's: a page of another site could otherwise point its own name at 127.0.0.1 and
   * read what is served here. Bound wider, the login keeps it out: a cookie belongs to one name.
   */
  checkHost(request: IncomingMessage): void;
  /** For what changes something and for WebSockets. Programs that are no browser send no origin and are let through. */
  checkOrigin(request: IncomingMessage): void;
}

/** Both checks throw a Refusal with status 403. */
export function createGuard({ host: boundTo, publicUrl }: Access): Guard {
  const ours = (publicUrl ?? null) === null ? undefined : new URL(publicUrl!);
  return {
    checkHost: ({ headers: { host = '' } }) => {
      const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d+)?$/i.exec(host)?.[1];
      const isOurs =
        !isLoopback(boundTo) ||
        (name !== undefined && isLoopback(name)) ||
        host.toLowerCase() === ours?.host;
      if (isOurs) return;
      throw new Refusal(
        403,
        'request_invalid',
        'This host is not served here.',
        'Use http://127.0.0.1 and the port; where a proxy serves the page, set http.publicUrl.',
      );
    },
    checkOrigin: ({ headers }) => {
      const { origin, host = '', 'sec-fetch-site': site = 'none' } = headers;
      // The site is the vaguer of the two, and browsers do not agree on it where WebSockets are concerned.
      const isOurs =
        origin === undefined
          ? site === 'same-origin' || site === 'none'
          : origin === `http://${host}` || origin === ours?.origin;
      if (isOurs) return;
      throw new Refusal(
        403,
        'request_invalid',
        'This request comes from a page of another site.',
        'Open the dashboard at this very address; where a proxy serves it, set http.publicUrl to the address in the browser.',
      );
    },
  };
}
