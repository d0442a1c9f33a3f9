/** `yard watch …`: shows the yard to programs as RTSP cameras and to people as a page, until Ctrl-C. */
import { LookaheadError } from '../errors.js';
import { splits } from '../yard/data/splits.js';
import { camerasMax, watchYard } from '../yard/watch/watch-yard.js';
import type { WatchOptions } from '../yard/watch/watch-yard.js';
import type { Size } from '../yard/yard-camera.js';
import { readOptions, wholeNumber, wholeNumberOr } from './options.js';
import type { Context, Options } from './options.js';
import { splitOf } from './yard-split.js';

const usage = `./lookahead yard watch [--seed 7] [--split ${splits.join('|')}] [--cameras 2] [--size 640x360]
  [--port 8090] [--rtsp-port 8554], 0 for any free port
./lookahead yard watch --from DIR [--cameras N, by default all] [--port 8090] [--rtsp-port 8554]

Each camera shows a scene of its own, as RTSP and on a page with its picture, its masks, what happens, and pBayes of what
comes next. Yards are drawn at 320x180, 16 pictures a second; --size scales them for RTSP. Drawing takes about a tenth of
a core for each camera, all on one core; for more than six cameras, record them and show them with --from DIR: the
videos of ./lookahead yard record, over and over, and their scenes simulated again in step with them. Who pauses a
yard on the page pauses it for all.`;

const flags = {
  seed: { type: 'string' },
  split: { type: 'string' },
  cameras: { type: 'string' },
  size: { type: 'string' },
  from: { type: 'string' },
  port: { type: 'string', default: '8090' },
  'rtsp-port': { type: 'string', default: '8554' },
  help: { type: 'boolean', default: false },
} as const;

const sidePxLeast = 32;
const sidePxMax = 4096;

/**
 * @param args what follows `yard watch`
 * @throws LookaheadError usage, ffmpeg_missing, port_taken, recording_unusable
 */
export async function yardWatchCommand(
  args: readonly string[],
  { ffmpegPath, out, signal }: Pick<Context, 'ffmpegPath' | 'out' | 'signal'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  if (options.values['help'] === true) {
    out.write(`${usage}\n`);
    return 0;
  }
  const watch = await watchYard({
    source: sourceOf(options),
    port: portOf(options, 'port'),
    rtspPort: portOf(options, 'rtsp-port'),
    ffmpegPath,
  });
  out.write(`page  ${watch.pageUrl}\n`);
  for (const url of Object.values(watch.rtspUrls)) out.write(`RTSP  ${url}\n`);
  out.write('Ctrl-C ends it.\n');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await watch.close();
  return 0;
}

function sourceOf(options: Options): WatchOptions['source'] {
  const { from, size } = options.values;
  const given = options.values['cameras'] !== undefined;
  const cameras = given ? wholeNumber(options, 'cameras', usage, 1) : null;
  if (cameras !== null && cameras > camerasMax)
    throw wrong(`--cameras is ${String(cameras)}; at most ${String(camerasMax)} can be shown.`);
  if (typeof from === 'string') {
    const odd = ['seed', 'split', 'size'].find((flag) => options.values[flag] !== undefined);
    if (odd !== undefined)
      throw wrong(
        `--${odd} is ${JSON.stringify(options.values[odd])}, but a recording is shown as it is; leave out --${odd} or --from.`,
      );
    return { kind: 'recorded', dir: from, cameras: cameras ?? camerasMax };
  }
  return {
    ...{ kind: 'live', split: splitOf(options, usage, 'train'), cameras: cameras ?? 2 },
    seed: wholeNumberOr(options, 'seed', 7, usage),
    size: typeof size === 'string' ? sizeOf(size) : null,
  };
}

function sizeOf(text: string): Size {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  const [widthPx, heightPx] = [Number(width), Number(height)];
  const isFit = (px: number): boolean => px % 2 === 0 && px >= sidePxLeast && px <= sidePxMax;
  if (!isFit(widthPx) || !isFit(heightPx))
    throw wrong(
      `--size is ${JSON.stringify(text)}, not WIDTHxHEIGHT in even numbers from ${String(sidePxLeast)} to ${String(sidePxMax)}, such as 640x360.`,
    );
  return { widthPx, heightPx };
}

function portOf(options: Options, flag: 'port' | 'rtsp-port'): number {
  const port = wholeNumber(options, flag, usage);
  if (port > 65_535) throw wrong(`--${flag} is ${String(port)}, not a port from 0 to 65535.`);
  return port;
}

function wrong(what: string): LookaheadError {
  return new LookaheadError('usage', what, usage);
}
