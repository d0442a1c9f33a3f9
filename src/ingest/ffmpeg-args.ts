/** Every argument that ffmpeg gets from the engine, as pure functions; `test/golden/ffmpeg-args.json` holds the lists. */
import type { FfmpegVersion } from './ffmpeg-version.js';
import { privacyFilter, type Polygon } from './privacy-masks.js';

export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The camera's picture inside the letterboxed one, in pixels. */
export interface PictureRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What stands before `-i`, the address, and what stands after it. The last output argument is the target. */
export interface FfmpegArgs {
  readonly input: readonly string[];
  readonly url: string;
  readonly output: readonly string[];
}

/** Required wherever ffmpeg opens a camera or a recording, so that no way to a picture can leave it out. */
export interface Masked {
  readonly privacyMasks: readonly Polygon[];
}

export interface RtspArgsOptions extends PictureSize, Masked {
  readonly url: string;
  readonly transport: 'tcp' | 'udp';
  /** ffmpeg gives up after about twice this time without data. */
  readonly socketTimeoutMs: number;
  readonly version: FfmpegVersion;
}

// At `info` ffmpeg prints the size of the camera's picture, once; `-nostats` keeps its progress line away.
const quiet = ['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info'];

/**
 * A live camera: every frame, scaled, as soon as it is decoded. Frames are thinned out in Node, since ffmpeg's own `fps`
 * filter holds back a whole output frame (decision 0006). One decoder thread: each further one holds back a frame.
 */
export function rtspArgs(options: RtspArgsOptions): FfmpegArgs {
  const { version } = options;
  const filter = privacyFilter(options.privacyMasks) + letterboxFilter(options);
  return {
    input: [
      ...quiet,
      '-protocol_whitelist',
      'rtp,rtsp,rtsps,tcp,udp,tls,crypto',
      '-rtsp_transport',
      options.transport,
      // ffmpeg 5 renamed it; before, `-timeout` made ffmpeg listen instead.
      version.major >= 5 ? '-timeout' : '-stimeout',
      String(options.socketTimeoutMs * 1000),
      '-fflags',
      'nobuffer+discardcorrupt',
      '-flags',
      'low_delay',
      '-threads',
      '1',
    ],
    url: options.url,
    output: [...videoOnly, '-vf', filter, ...everyFrame(version), ...rawRgb],
  };
}

/** Stands before `-i` of every recording. Playlists and scripts are left out: they make ffmpeg open what they name. */
export const oneFileOnly: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  'h264,hevc,m4v,mjpeg,mpegvideo,mpeg,mpegts,mov,mp4,matroska,webm,avi,flv,ivf',
];

export interface FileArgsOptions extends PictureSize, Masked {
  readonly url: string;
  /** The recording is sampled at this rate by the picture's own time. */
  readonly framesPerSecond: number;
  readonly version: FfmpegVersion;
}

/** A recording in replay: the same pictures at every run, however fast they are read. */
export function fileArgs(options: FileArgsOptions): FfmpegArgs {
  const masks = privacyFilter(options.privacyMasks);
  const filter = `fps=${String(options.framesPerSecond)},${masks}${letterboxFilter(options)}`;
  return {
    input: [...quiet, ...oneFileOnly, '-threads', '1'],
    url: options.url,
    output: [...videoOnly, '-vf', filter, ...everyFrame(options.version), ...rawRgb],
  };
}

export interface PreviewOutputOptions extends Masked {
  readonly widthMaxPx: number;
}

/** Options of ffmpeg's output; node-rtsp-stream puts them behind `-i`, so none can be one of the input. */
export function previewOutput({
  widthMaxPx,
  privacyMasks,
}: PreviewOutputOptions): Record<string, string> {
  return {
    '-loglevel': 'level+warning',
    '-nostats': '',
    '-an': '',
    '-vf': `${privacyFilter(privacyMasks)}scale=w='min(${widthMaxPx},iw)':h=-2:flags=fast_bilinear`,
    // MPEG-1 knows a few rates only, and the browser's decoder no B pictures.
    '-r': '25',
    '-bf': '0',
    '-q:v': '6',
  };
}

/** As one list, the way ffmpeg receives it. */
export function argv(args: FfmpegArgs): string[] {
  return [...args.input, '-i', args.url, ...args.output];
}

/**
 * Where the camera's picture lies in the letterboxed one; mirrors ffmpeg's rounding in `scale` (av_rescale: to nearest,
 * halves away from zero) and `pad` (centred, halves down).
 */
export function letterbox(
  sourceWidth: number,
  sourceHeight: number,
  widthPx: number,
  heightPx: number,
): PictureRectangle {
  const width = Math.min(widthPx, Math.round((heightPx * sourceWidth) / sourceHeight));
  const height = Math.min(heightPx, Math.round((widthPx * sourceHeight) / sourceWidth));
  return {
    x: Math.floor((widthPx - width) / 2),
    y: Math.floor((heightPx - height) / 2),
    width,
    height,
  };
}

/** Also how training scales its pictures, byte for byte: 320 x 180 becomes 160 x 90 with three black rows above and below. */
function letterboxFilter({ widthPx, heightPx }: PictureSize): string {
  const size = `${widthPx}:${heightPx}`;
  return `scale=${size}:force_original_aspect_ratio=decrease:flags=fast_bilinear,pad=${size}:-1:-1`;
}

const videoOnly = ['-an', '-sn', '-dn', '-map', '0:v:0'];
const rawRgb = ['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'];

/** No frame doubled or left out to fit a rate. */
function everyFrame({ major, minor }: FfmpegVersion): string[] {
  const renamed = major > 5 || (major === 5 && minor >= 1);
  return [renamed ? '-fps_mode' : '-vsync', 'passthrough'];
}
