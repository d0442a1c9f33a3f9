/** A recorded video file as what the RTSP server loops: an H.264 byte stream without B pictures, in memory. */
import { LookaheadError } from '../errors.js';
import { oneFileOnly } from '../ingest/ffmpeg-args.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { cutAccessUnits, hasBidirectionalSlices } from './rtsp/annex-b.js';

export interface Recording {
  readonly annexB: Buffer;
  readonly framesPerSecond: number;
  /** The file's own pictures could not be sent as they are. */
  readonly isTranscoded: boolean;
}

const recordingBytesMax = 256 * 1024 * 1024;
/** A reader joins at a key picture; waiting longer looks like a dead camera. */
const keyPeriodMaxS = 5;

/** Rejects with `recording_unusable` or `ffmpeg_missing`. */
export async function openRecording(ffmpegPath: string, path: string): Promise<Recording> {
  const about = await probe(ffmpegPath, path);
  const input = ['-v', 'error', ...inputOf(path), '-map', '0:v:0'];
  const output = ['-f', 'h264', 'pipe:1'];
  if (about.codec === 'h264') {
    const copy = ['-c:v', 'copy', '-bsf:v', 'h264_mp4toannexb'];
    const annexB = await collect(ffmpegPath, [...input, ...copy, ...output], path);
    if (canBeSentAsItIs(annexB, about.framesPerSecond)) {
      return { annexB, framesPerSecond: about.framesPerSecond, isTranscoded: false };
    }
  }
  const rate = String(about.framesPerSecond);
  const keyEvery = String(Math.max(1, Math.round(about.framesPerSecond)));
  const encode = ['-r', rate, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-crf', '23'];
  const format = ['-g', keyEvery, '-pix_fmt', 'yuv420p', '-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2'];
  const annexB = await collect(ffmpegPath, [...input, ...encode, ...format, ...output], path);
  return { annexB, framesPerSecond: about.framesPerSecond, isTranscoded: true };
}

/** In the order shown, and with a key picture often enough. */
function canBeSentAsItIs(annexB: Buffer, framesPerSecond: number): boolean {
  const units = cutAccessUnits(annexB);
  const keys = units.flatMap(({ isKey }, i) => (isKey ? [i] : []));
  const gaps = keys.map((key, i) => (keys[i + 1] ?? units.length) - key);
  return (
    keys[0] === 0 &&
    Math.max(...gaps) <= keyPeriodMaxS * framesPerSecond &&
    !hasBidirectionalSlices(units)
  );
}

/** What ffmpeg says about the first video track of a file. ffprobe need not be there. */
async function probe(
  ffmpegPath: string,
  path: string,
): Promise<{ codec: string; framesPerSecond: number }> {
  // Without an output file ffmpeg lists the tracks and fails: expected.
  const { stderr } = await runFfmpeg(ffmpegPath, inputOf(path));
  const found = parseVideoTrack(stderr);
  if (found === undefined) {
    const why = stderr.trim().split('\n').at(-1) ?? '';
    throw unusable(path, why === '' || why.startsWith('At least one') ? 'no video track' : why);
  }
  return found;
}

/** Codec and frame rate of the first video track in ffmpeg's listing; exported for its test. */
export function parseVideoTrack(
  listing: string,
): { codec: string; framesPerSecond: number } | undefined {
  const line = /Stream #0:\d+.*?: Video: (\w+)(.*)/.exec(listing);
  if (line === null) return undefined;
  const [, codec = '', rest = ''] = line;
  if (rest.includes('(attached pic)')) return undefined;
  const [, rate, thousand] =
    /, ([\d.]+)(k?) fps/.exec(rest) ?? /, ([\d.]+)(k?) tbr/.exec(rest) ?? [];
  const framesPerSecond = Number(rate ?? '0') * (thousand === 'k' ? 1000 : 1);
  const isPlausible = framesPerSecond >= 1 && framesPerSecond <= 120;
  return { codec, framesPerSecond: isPlausible ? framesPerSecond : 25 };
}

async function collect(ffmpegPath: string, args: string[], path: string): Promise<Buffer> {
  const { code, stdout, stderr, isTooLong } = await runFfmpeg(ffmpegPath, args, recordingBytesMax);
  if (isTooLong) {
    throw new LookaheadError(
      'recording_unusable',
      `The recording ${path} has more than ${recordingBytesMax / 1024 / 1024} MiB of H.264; a recording is kept in memory.`,
      'Cut a shorter piece out of it, or make it smaller.',
    );
  }
  if (code !== 0 || stdout.length === 0) {
    throw unusable(path, stderr.trim().split('\n').at(-1) ?? `ffmpeg ended with ${code}`);
  }
  return stdout;
}

function inputOf(path: string): string[] {
  return ['-hide_banner', '-nostdin', ...oneFileOnly, '-i', fileUrl(path)];
}

/** `file:` keeps ffmpeg from taking a name such as `concat:a|b` for a protocol. */
function fileUrl(path: string): string {
  return `file:${path}`;
}

function unusable(path: string, why: string): LookaheadError {
  return new LookaheadError(
    'recording_unusable',
    `The recording ${path} cannot be played: ${why.replaceAll(fileUrl(path), path)}.`,
    'Give a video file that ffmpeg can read.',
  );
}
