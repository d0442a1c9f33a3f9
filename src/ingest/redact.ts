/** Takes secrets out of any text that may be logged, published or shown. */

/** What stands in the place of a secret. */
export const hidden = '***';

/**
 * ffmpeg quotes whole addresses, so everything up to the last `@` of an address counts as user-info. The scheme is left to stand
 * outside the pattern: looking for its beginning would take quadratic time on a long line. JSON may write `:\/\/`.
 */
const userInfo = /:(\\?\/\\?\/)\S*@/g;

/** Cameras also take passwords in queries, and some in the path: `/user=admin_password=..._channel=1`. */
const namedSecret = /(pass(?:word|wd)?|pwd|secret|token)=[^&\s]*/gi;

const authorization = /(authorization: *(?:basic|bearer|digest) ).*/gi;

/**
 * Gives a function that hides the secrets in a text: known values, raw or percent-encoded (once or twice, any mix, either
 * case); user-info of any address; `password=` and its like; authorization headers. It may hide too much, never too little.
 *
 * A secret of fewer than four characters is hidden only where it stands alone: hiding every `7` in a log would spell
 * the password out rather than keep it.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const patterns = [...new Set(secrets)]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .map(patternOf);
  return (text) => {
    let clean = text;
    for (const pattern of patterns) clean = clean.replace(pattern, hidden);
    return clean
      .replace(userInfo, `:$1${hidden}@`)
      .replace(namedSecret, `$1=${hidden}`)
      .replace(authorization, `$1${hidden}`);
  };
}

/** For texts whose secrets are not known, such as an address that could not be parsed. */
export const redactAddresses = redactor([]);

function patternOf(secret: string): RegExp {
  const body = Array.from(secret, characterPattern).join('');
  if (secret.length >= 4) return new RegExp(body, 'gu');
  return new RegExp(`(?<![\\p{L}\\p{N}])${body}(?![\\p{L}\\p{N}])`, 'gu');
}

/** One character as itself, percent-encoded, percent-encoded twice, or (a space) as `+`. */
function characterPattern(character: string): string {
  const bytes = Array.from(Buffer.from(character, 'utf8'), (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  const encoded = bytes.map((hex) => `%(?:25)?${eitherCase(hex)}`).join('');
  const forms = [escape(character), encoded];
  if (character === ' ') forms.push('\\+');
  return `(?:${forms.join('|')})`;
}

function eitherCase(hex: string): string {
  return Array.from(hex, (digit) =>
    /[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit,
  ).join('');
}

function escape(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
}
