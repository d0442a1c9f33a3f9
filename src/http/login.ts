/** The login: a password for people, a bearer token for programs; on loopback without either everybody is let in. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { needsLogin, type Access } from './access.js';
import { LoginSchema, paths } from './contract.js';
import { isLoopback } from './loopback.js';
import { readJson } from './read-json.js';
import { Refusal } from './reply.js';
import type { Asked, Routes } from './routes.js';
import { sessionMaxMs, Sessions, type Visitor } from './sessions.js';
import { TryLimit } from './try-limit.js';

export interface Login {
  readonly isNeeded: boolean;
  /** Undefined: a stranger. */
  visitorOf(request: IncomingMessage): Visitor | undefined;
  readonly routes: Routes;
  close(): void;
}

/** Never leaves before the engine does. */
const trusted: Visitor = { whenEnded: () => () => undefined };

const sweepEveryMs = 30_000;

/** `now`: ms of a clock that never goes back. `port`: that of this server, known once it listens. */
export function createLogin(access: Access, now: () => number, port: () => number): Login {
  const { password, token, publicUrl } = access;
  const isNeeded = needsLogin(access);
  const isPassword = comparerWith(password);
  const isToken = comparerWith(token);
  const sessions = new Sessions(now);
  const limit = new TryLimit(now);
  const sweeping = setInterval(() => sessions.sweep(), sweepEveryMs).unref();

  // Cookies do not tell ports apart, and there may be two engines on one machine.
  const cookieName = (): string => `lookahead-${port()}`;
  const cookie = (value: string, maxAgeS: number): string => {
    const secure = publicUrl?.toLowerCase().startsWith('https:') === true ? '; Secure' : '';
    return `${cookieName()}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
  };

  const logIn = async ({ request }: Asked): Promise<string> => {
    const given = await readJson(request, LoginSchema);
    const address = addressOf(request, access);
    const waitS = Math.ceil(limit.take(address) / 1000);
    if (waitS > 0) {
      throw new Refusal(
        429,
        'login_refused',
        'The password was tried too often.',
        `Try again in ${waitS} s.`,
        { 'retry-after': String(waitS) },
      );
    }
    if (!isPassword(given.password)) {
      throw new Refusal(
        401,
        'login_refused',
        'This is not the password.',
        'Give the one of http.password or http.passwordFile in the configuration.',
        { 'www-authenticate': 'Bearer' },
      );
    }
    limit.forgive(address);
    return sessions.begin();
  };

  return {
    isNeeded,
    visitorOf: (request) => {
      if (!isNeeded) return trusted;
      const bearer = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (bearer !== undefined && isToken(bearer)) return trusted;
      return idsOf(request, cookieName())
        .map((id) => sessions.visitorOf(id))
        .find((visitor) => visitor !== undefined);
    },
    routes: new Map([
      [
        paths.login,
        {
          isOpen: true,
          POST: async (asked) => {
            if (!isNeeded) return { status: 204 };
            const id = await logIn(asked);
            return { status: 204, headers: { 'set-cookie': cookie(id, sessionMaxMs / 1000) } };
          },
        },
      ],
      [
        paths.logout,
        {
          isOpen: true,
          POST: ({ request }) => {
            for (const id of idsOf(request, cookieName())) sessions.end(id);
            return { status: 204, headers: { 'set-cookie': cookie('', 0) } };
          },
        },
      ],
    ]),
    close: () => clearInterval(sweeping),
  };
}

/**
 * Behind a proxy on this machine everybody would be one and the same, and a stranger's tries would keep the owner out. What the
 * proxy has heard itself stands last; what stands before it anybody may have written.
 */
function addressOf({ socket, headers }: IncomingMessage, { publicUrl }: Access): string {
  const peer = socket.remoteAddress ?? '';
  if ((publicUrl ?? null) === null || !isLoopback(peer)) return peer;
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').at(-1)!.trim();
  return isIP(forwarded) === 0 ? peer : forwarded;
}

/** Nothing is right where there is no secret. The time that it takes says nothing about the secret. */
function comparerWith(secret: string | null | undefined): (given: string) => boolean {
  const key = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const right = secret === null || secret === undefined ? undefined : digest(secret);
  return (given) => timingSafeEqual(digest(given), right ?? randomBytes(32));
}

/** Of a cookie that may be there more than once, as when another path or site of this name has set one too. */
function idsOf({ headers }: IncomingMessage, name: string): string[] {
  return (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .slice(0, 4);
}
