/** What supervisors and Prometheus ask. */
import type { IncomingMessage } from 'node:http';
import type { Access } from './access.js';
import type { Login } from './login.js';
import { isLoopback } from './loopback.js';
import { text } from './reply.js';
import type { Asked, Routes } from './routes.js';

export interface HealthOptions {
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
  /** What keeps the engine from being ready; empty: it is. */
  readonly hindrances: () => readonly string[];
  readonly access: Access;
  readonly login: Login;
}

export function healthRoutes({ metrics, hindrances, access, login }: HealthOptions): Routes {
  const mayKnow = ({ request, visitor }: Asked): boolean =>
    visitor !== undefined || !login.isNeeded || isFromHere(request, access);
  return new Map([
    ['/livez', { isOpen: true, GET: () => text(200, 'alive\n') }],
    [
      '/readyz',
      {
        isOpen: true,
        GET: (asked: Asked) => {
          const why = hindrances();
          if (why.length === 0) return text(200, 'ready\n');
          return text(503, mayKnow(asked) ? `${why.join('\n')}\n` : 'not ready\n');
        },
      },
    ],
    ['/metrics', { GET: async () => text(200, await metrics.text(), metrics.contentType) }],
  ]);
}

/** A proxy on this machine brings strangers, and they all seem to come from here. */
function isFromHere({ socket, headers }: IncomingMessage, { publicUrl }: Access): boolean {
  const isBehindProxy =
    (publicUrl ?? null) !== null || 'x-forwarded-for' in headers || 'forwarded' in headers;
  return !isBehindProxy && isLoopback(socket.remoteAddress ?? '');
}
