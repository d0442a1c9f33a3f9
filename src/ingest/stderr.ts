/** Reads what ffmpeg says: keeps little of it, hides secrets, and draws the facts out. Pure. */
import { LookaheadError } from '../errors.js';

export interface StderrOptions {
  readonly redact: (text: string) => string;
  /** Once: the size of the camera's own picture, of its first video stream, the one that is read. */
  readonly onSize: (width: number, height: number) => void;
  /** Packets lost or parts of pictures that could not be decoded. Not called before the first picture. */
  readonly onDecodeErrors: (count: number) => void;
  /** Warnings and errors, for a log. */
  readonly onWarning: (line: string) => void;
}

const linesMax = 100;
/** A longer line is not ffmpeg's. It is left out whole, since a piece could hold half a secret. */
const lineLengthMax = 8192;

/** Lines of ffmpeg run with `-loglevel level+info`. */
export class StderrReader {
  readonly #options: StderrOptions;
  readonly #lines: string[] = [];
  #begun = '';
  #isTooLong = false;
  #hasPicture = false;
  #hasVideo = false;

  constructor(options: StderrOptions) {
    this.#options = options;
  }

  push(text: string): void {
    const parts = text.split(/\r\n|\r|\n/);
    const last = parts.pop() ?? '';
    for (const part of parts) {
      this.#append(part);
      this.#endLine();
    }
    this.#append(last);
  }

  /** Until the first picture a stream that was joined in its middle cannot be decoded; that is no fault of the camera. */
  pictureArrived(): void {
    this.#hasPicture = true;
  }

  /** The last lines, redacted. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  #append(part: string): void {
    if (this.#isTooLong) return;
    this.#begun += part;
    if (this.#begun.length > lineLengthMax) {
      this.#begun = '';
      this.#isTooLong = true;
    }
  }

  #endLine(): void {
    const line = this.#isTooLong ? '(a line too long to keep)' : this.#begun;
    this.#begun = '';
    this.#isTooLong = false;
    if (line !== '') this.#read(this.#options.redact(line));
  }

  #read(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > linesMax) this.#lines.shift();
    if (!this.#hasVideo) this.#readVideo(line);
    if (!/\[(?:warning|error|fatal|panic)\]/.test(line)) return;
    const errors = this.#hasPicture ? decodeErrors(line) : 0;
    if (errors > 0) this.#options.onDecodeErrors(errors);
    else this.#options.onWarning(line);
  }

  /** The first video stream is the one that is read (`-map 0:v:0`); of others the size does not matter. */
  #readVideo(line: string): void {
    const stream = /Stream #0:\d+.*: Video: (?!rawvideo)(.*)/.exec(line);
    if (stream === null) return;
    this.#hasVideo = true;
    const size = /, (\d{1,5})x(\d{1,5})\b/.exec(stream[1] ?? '');
    if (size !== null) this.#options.onSize(Number(size[1]), Number(size[2]));
  }
}

/** How much damage a line of ffmpeg reports: lost packets, or one for each picture that did not decode cleanly. */
function decodeErrors(line: string): number {
  const missed = /RTP: missed (-?\d+) packets/.exec(line);
  if (missed !== null) return Math.max(1, Number(missed[1]));
  return /error while decoding|concealing \d+|corrupt decoded frame|corrupt input|decode_slice_header error|Invalid NAL/i.test(
    line,
  )
    ? 1
    : 0;
}

/** Why ffmpeg ended, from its last lines; `how` is its exit in words. */
export function failureOf(camera: string, lines: readonly string[], how: string): LookaheadError {
  const text = lines.join('\n');
  const said = lines.findLast((line) => /\[(?:error|fatal|panic)\]/.test(line)) ?? how;
  for (const { pattern, code, what, remedy } of failures) {
    if (pattern.test(text)) return new LookaheadError(code, `${camera}: ${what} (${said})`, remedy);
  }
  return new LookaheadError(
    'ffmpeg_failed',
    `${camera}: ${how}${said === how ? '' : ` (${said})`}`,
    'Try the address in another player; the camera is tried again by itself.',
  );
}

const failures = [
  {
    pattern: /\b40[13] (?:Unauthorized|Forbidden)|authorization failed|Server returned 40[13]\b/i,
    code: 'camera_refused',
    what: 'the camera refused the login.',
    remedy: 'Check user name and password; some cameras lock an account after a few wrong tries.',
  },
  {
    pattern: /\b404\b.*Not Found|Server returned 404/i,
    code: 'camera_not_found',
    what: 'the camera has no such stream.',
    remedy: 'Check the path of the address in the manual of the camera.',
  },
  {
    pattern: /matches no streams|does not contain any stream|Could not find video stream/i,
    code: 'camera_no_video',
    what: 'the stream has no video track.',
    remedy: 'Choose another stream of the camera.',
  },
  {
    pattern:
      /Connection refused|No route to host|Network is unreachable|Connection timed out|Name or service not known|Failed to resolve hostname|Temporary failure in name resolution|Connection reset|Host is down/i,
    code: 'camera_unreachable',
    what: 'the camera cannot be reached.',
    remedy: 'Check that it is switched on, the host and port, and the network between.',
  },
] as const;
