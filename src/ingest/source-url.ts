/** The address of a camera, as people write it, taken apart once. Nothing else in the engine parses addresses. */
import { LookaheadError } from '../errors.js';
import { redactAddresses } from './redact.js';

export interface RtspSource {
  readonly kind: 'rtsp';
  /** For people and logs: no user-info, no passwords in the query. */
  readonly display: string;
  /** For ffmpeg: user-info percent-encoded exactly once. Never printed. */
  readonly url: string;
  /** `HOST:PORT`, the port of the scheme where the address names none. */
  readonly host: string;
  /** Whether the address itself holds one. */
  readonly hasLogin: boolean;
  /** Every value that must not leave the process. */
  readonly secrets: readonly string[];
}

export interface FileSource {
  readonly kind: 'file';
  readonly display: string;
  /** `file:PATH`, so that ffmpeg takes no path for an option or another protocol. */
  readonly url: string;
  readonly path: string;
  readonly secrets: readonly string[];
}

export type Source = RtspSource | FileSource;

export interface SourceOptions {
  /** Where the address stands, for errors: `cameras[0].url`. */
  readonly field?: string;
  /** Taken literally; for logins that are hard to write inside an address. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const lengthMax = 4096;

/** ffmpeg's RTSP client keeps user-info in 128 bytes and cuts off the rest without a word. */
const userInfoMax = 127;

/**
 * Takes `rtsp://`, `rtsps://` and `file:` addresses and refuses all others, since ffmpeg would open nearly anything
 * (`concat:`, `data:`, `http:` into the local network). A password may hold `@ : / # ? %` as they are, as long as only one
 * reading is possible.
 *
 * @throws LookaheadError `source_refused`, naming field, value (without secrets) and remedy.
 */
export function parseSource(address: string, options: SourceOptions = {}): Source {
  const refuse = (why: string, remedy: string): never => {
    const value = JSON.stringify(redactAddresses(address).slice(0, 200));
    throw new LookaheadError(
      'source_refused',
      `${options.field ?? 'The address of the camera'}: ${value} ${why}.`,
      remedy,
    );
  };
  if (address.length > lengthMax) {
    refuse(`has ${address.length} characters`, `Use at most ${lengthMax}.`);
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(address)) {
    refuse('holds a control character', 'Remove line breaks, tabs and the like.');
  }
  if (/\p{Cs}/u.test(address)) refuse('is not valid Unicode', 'Type the address again.');
  const scheme = /^(rtsps?:\/\/|file:)/i.exec(address)?.[0].toLowerCase();
  if (scheme === undefined) {
    return refuse(
      'is not an address that cameras are read from',
      'Use rtsp://HOST/PATH, rtsps://HOST/PATH or file:PATH.',
    );
  }
  const rest = address.slice(scheme.length);
  return scheme === 'file:' ? fileSource(rest, refuse) : rtspSource(scheme, rest, options, refuse);
}

type Refuse = (why: string, remedy: string) => never;

function fileSource(rest: string, refuse: Refuse): FileSource {
  // file:///a/b and file:/a/b mean the same; file://host/b would be a file elsewhere.
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  if (path.startsWith('//')) refuse('names a host', 'Use file:PATH for a file of this machine.');
  if (path === '') refuse('names no file', 'Use file:PATH.');
  return { kind: 'file', display: `file:${path}`, url: `file:${path}`, path, secrets: [] };
}

function rtspSource(
  scheme: string,
  rest: string,
  options: SourceOptions,
  refuse: Refuse,
): RtspSource {
  const { userInfo, authority, tail } = split(rest, refuse);
  if (!isAuthority(authority)) {
    refuse('has no valid host and port', 'Use rtsp://HOST:PORT/PATH, the port from 1 to 65535.');
  }
  if (/\s/u.test(tail)) refuse('has a space in its path', 'Write a space as %20.');
  const fromAddress = userInfo === null ? null : login(userInfo, refuse);
  const given = options.username !== undefined || options.password !== undefined;
  if (given && fromAddress !== null) {
    refuse(
      'holds a login, and username or password is given too',
      'Give the login in one place only.',
    );
  }
  const user = given ? (options.username ?? '') : (fromAddress?.user ?? null);
  const password = given ? (options.password ?? '') : (fromAddress?.password ?? '');
  if (user?.includes(':')) {
    refuse('has a colon in its user name', 'RTSP cannot carry such a name; use another one.');
  }
  if (/\p{Cc}/u.test(`${user ?? ''}${password}`)) {
    refuse('has a control character in its login', 'Use a login without line breaks and the like.');
  }
  const encoded = user === null ? '' : `${encode(user)}:${encode(password)}`;
  if (encoded.length > userInfoMax) {
    refuse(
      `has a login of ${encoded.length} characters when encoded`,
      `ffmpeg takes ${userInfoMax} characters at most; use a shorter password.`,
    );
  }
  return {
    kind: 'rtsp',
    display: redactAddresses(`${scheme}${authority}${tail}`),
    url: `${scheme}${encoded === '' ? '' : `${encoded}@`}${authority}${tail}`,
    host: /:\d+$/.test(authority) ? authority : `${authority}:${scheme === 'rtsp://' ? 554 : 322}`,
    hasLogin: userInfo !== null,
    secrets: [...(password === '' ? [] : [password]), ...namedSecrets(tail)],
  };
}

/**
 * Splits off the user-info, which may hold `@ / # ?` raw. It ends at the last `@` before the path; where a slash in a password
 * and an `@` in a path could be mistaken for each other, the address is refused rather than sent to the wrong host.
 */
function split(
  rest: string,
  refuse: Refuse,
): { userInfo: string | null; authority: string; tail: string } {
  const end = rest.search(/[/?#]/);
  const head = end < 0 ? rest : rest.slice(0, end);
  const tail = end < 0 ? '' : rest.slice(end);
  const at = head.lastIndexOf('@');
  const authority = head.slice(at + 1);
  if (!tail.includes('@')) return { userInfo: at < 0 ? null : head.slice(0, at), authority, tail };
  if (isAuthority(authority)) {
    return refuse(
      'can be read in two ways: "@" stands after a slash',
      'Write "@" in the path as %40, or "/" in the password as %2F, or give username and password on their own.',
    );
  }
  const last = rest.lastIndexOf('@');
  const after = rest.slice(last + 1);
  const pathAt = after.search(/[/?#]/);
  return {
    userInfo: rest.slice(0, last),
    authority: pathAt < 0 ? after : after.slice(0, pathAt),
    tail: pathAt < 0 ? '' : after.slice(pathAt),
  };
}

/** HOST, HOST:PORT, [IPv6] or [IPv6%25zone]:PORT. */
function isAuthority(text: string): boolean {
  const match = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+(?:%25[a-z0-9._~-]+)?\])(?::(\d{1,5}))?$/i.exec(
    text,
  );
  if (match === null || /^[.-]/.test(text)) return false;
  const port = match[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65535);
}

/** `user:password`, percent-encoded throughout or not at all. */
function login(userInfo: string, refuse: Refuse): { user: string; password: string } {
  const escapes = userInfo.match(/%[0-9a-f]{2}/gi)?.length ?? 0;
  const percents = userInfo.match(/%/g)?.length ?? 0;
  if (escapes > 0 && (escapes < percents || /[@/?#[\]]/.test(userInfo))) {
    refuse(
      'has a login that is percent-encoded in part',
      'Encode all of it (% as %25, @ as %40), or give username and password on their own.',
    );
  }
  const decode = (text: string): string => {
    if (escapes === 0) return text;
    try {
      return decodeURIComponent(text);
    } catch {
      return refuse('has a login that is not percent-encoded UTF-8', 'Write % as %25.');
    }
  };
  const colon = userInfo.indexOf(':');
  if (colon < 0) return { user: decode(userInfo), password: '' };
  return { user: decode(userInfo.slice(0, colon)), password: decode(userInfo.slice(colon + 1)) };
}

/** Everything but letters, digits and `-._~`, so that no reader can take a character for a separator. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The values of `password=` and its like in path and query. */
function namedSecrets(tail: string): string[] {
  const values = Array.from(
    tail.matchAll(/(?:pass(?:word|wd)?|pwd|secret|token)=([^&\s]+)/gi),
    (match) => match[1] ?? '',
  );
  return values.flatMap((value) => {
    try {
      return [...new Set([value, decodeURIComponent(value)])];
    } catch {
      return [value];
    }
  });
}
