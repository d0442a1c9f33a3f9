/** What people type for a camera, checked before it is sent. Pure. */
import { LookaheadError } from '../../errors.js';
import { parseSource } from '../../ingest/source-url.js';
import { TokenSchema } from '../../messages.js';

export interface Address {
  /** Without a login. */
  readonly url: string;
  /** What stood in it; null: there was none. */
  readonly login: { readonly username: string; readonly password: string } | null;
}

/** A text is what is wrong with it, and what to write instead; it never holds a password. */
export function readAddress(text: string): Address | string {
  const trimmed = text.trim();
  if (trimmed === '') return 'The address is empty; write rtsp://HOST/PATH.';
  try {
    const source = parseSource(trimmed, { field: 'Address' });
    if (source.kind === 'file') {
      return 'Address: a recording is not added here; write rtsp://HOST/PATH or rtsps://HOST/PATH.';
    }
    const [, scheme = '', username, password, rest = ''] =
      /^(rtsps?:\/\/)(?:([^:@/]*):([^@/]*)@)?(.*)$/.exec(source.url) ?? [];
    if (username === undefined || password === undefined) {
      return { url: scheme + rest, login: null };
    }
    const login = {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
    return { url: scheme + rest, login };
  } catch (error) {
    if (error instanceof LookaheadError) return `${error.message} ${error.remedy}`;
    return 'Address: it cannot be read; write rtsp://HOST/PATH.';
  }
}

/** '' where the name can be used. */
export function faultOfName(name: string, taken: readonly string[]): string {
  const shown = JSON.stringify(name.slice(0, 80));
  if (name === '') return 'Name: it is empty; give 1 to 64 letters, digits, "_" or "-".';
  if (!TokenSchema.safeParse(name).success) {
    return `Name: ${shown} cannot be part of a subject; use 1 to 64 letters, digits, "_" or "-".`;
  }
  if (name === 'svc') return 'Name: "svc" is reserved; choose another one.';
  if (taken.includes(name)) return `Name: there is a camera ${shown} already; choose another one.`;
  return '';
}
