/** Digest login (RFC 2617, MD5 without qop, which is what RTSP 1.0 clients know). Basic is never accepted. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const realm = 'Lookahead';

/** The value of `WWW-Authenticate`. */
export function challenge(nonce: string): string {
  return `Digest realm="${realm}", nonce="${nonce}", algorithm=MD5`;
}

/** The parameters of an `Authorization: Digest` header; undefined for any other scheme. */
export function parseDigest(header: string): ReadonlyMap<string, string> | undefined {
  const [, list] = /^Digest\s+(.*)$/i.exec(header) ?? [];
  if (list === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const match of list.matchAll(/([a-zA-Z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    const [, name = '', quoted, plain] = match;
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return parameters;
}

/** Whether the answer proves the password for this method and nonce. */
export function isRightAnswer(
  answer: ReadonlyMap<string, string>,
  { username, password }: Credentials,
  method: string,
  nonce: string,
): boolean {
  // Header lines are read as Latin-1; a name outside ASCII arrives as the bytes of its UTF-8.
  const givenName = Buffer.from(answer.get('username') ?? '', 'latin1').toString('utf8');
  if (givenName !== username || answer.get('nonce') !== nonce) return false;
  const secret = md5(`${username}:${realm}:${password}`);
  const action = md5(`${method}:${answer.get('uri') ?? ''}`); // An ASCII URI: the request line allows no other.
  const expected = Buffer.from(md5(`${secret}:${nonce}:${action}`));
  const given = Buffer.from((answer.get('response') ?? '').toLowerCase());
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function md5(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('hex');
}
