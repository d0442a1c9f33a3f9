/** GET /session: what the dashboard has to know before it can do anything. */
import { paths, type Session } from './contract.js';
import type { Login } from './login.js';
import type { NatsGate } from './ports.js';
import { json } from './reply.js';
import type { Routes } from './routes.js';

export interface SessionOptions {
  readonly version: string;
  readonly site: string;
  readonly viewersMax: number;
  readonly natsGate?: NatsGate | undefined;
  readonly login: Login;
}

export function sessionRoutes(options: SessionOptions): Routes {
  const { version, login } = options;
  return new Map([
    [
      paths.session,
      {
        isOpen: true,
        GET: ({ visitor }) => {
          const session: Session = {
            schema: 'lookahead.session.v1',
            needsLogin: login.isNeeded,
            isLoggedIn: visitor !== undefined,
            version,
            engine: visitor === undefined ? null : engineOf(options),
          };
          return json(200, session);
        },
      },
    ],
  ]);
}

function engineOf({ site, viewersMax, natsGate }: SessionOptions): Session['engine'] {
  const way = natsGate?.address() ?? { hindrance: 'This engine lends no way to its NATS server.' };
  if ('hindrance' in way) return { site, viewersMax, nats: null, natsHindrance: way.hindrance };
  const { user, password } = way;
  return { site, viewersMax, nats: { user, password }, natsHindrance: null };
}
