/** The key frames of every camera's last while, as the models saw them: what a forecast was made from can be shown. */
import type { Still, Stills } from './http/ports.js';
import type { Manifest } from './models/manifest.js';
import { encodePng } from './png.js';
import type { Frame, Ports } from './types.js';

export interface KeyFramesOptions {
  /** Of all cameras together, in equal shares; the newest picture of each is kept in any case. */
  readonly bytesMax: number;
  /** How many cameras share it now. */
  readonly cameras: () => number;
  /** How far back from a camera's newest picture. Default 40 s. */
  readonly keptMs?: number;
}

/** Of the bundle whose clips are heard. */
type Seeing = Pick<Manifest, 'preprocessing' | 'geometry'>;

interface KeyFrame {
  readonly frame: Frame;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Clips of the shipped bundle are a second long: what is older shows something else. */
const earlierMaxMs = 1_500;

export class KeyFrames implements Stills {
  readonly #options: KeyFramesOptions;
  /** By camera, oldest first. */
  readonly #kept = new Map<string, readonly KeyFrame[]>();
  /** Bytes that each camera had when a picture last came. */
  #share = Infinity;
  /** Of each camera's newest one, where somebody has asked for it. */
  readonly #encoded = new Map<string, { readonly of: KeyFrame; readonly png: Promise<Buffer> }>();

  constructor(options: KeyFramesOptions) {
    this.#options = options;
  }

  /** The same ports, with an eye on their clips. */
  tap(camera: string, { preprocessing, geometry }: Seeing, ports: Ports): Ports {
    const { widthPx, heightPx } = preprocessing;
    const { report } = ports;
    return {
      ...ports,
      report: {
        ...report,
        clip: (clip) => {
          report.clip(clip);
          const frame = clip.frames[geometry.keyFrame];
          if (frame) this.#keep(camera, { frame, widthPx, heightPx });
        },
      },
    };
  }

  /** A camera that is gone, or of which less may be seen from now on. */
  forget(camera: string): void {
    this.#kept.delete(camera);
    this.#encoded.delete(camera);
  }

  /** Without the bars that the models see: shares of the picture are those of messages and privacy masks. */
  async png(camera: string, atMs?: number): Promise<Still | undefined> {
    const kept = this.#kept.get(camera) ?? [];
    const newest = kept.at(-1);
    const wanted = atMs === undefined ? newest : nearest(kept, atMs);
    if (!wanted) return undefined;
    const png = await (wanted === newest ? this.#encodeNewest(camera, wanted) : encode(wanted));
    return { png, atMs: wanted.frame.capturedAtMs };
  }

  #keep(camera: string, newest: KeyFrame): void {
    const { bytesMax, cameras } = this.#options;
    const share = bytesMax / Math.max(1, cameras());
    const kept = [...(this.#kept.get(camera) ?? []), newest];
    this.#kept.set(camera, this.#within(kept, share));
    // When another camera is added, that of one that sends nothing any more shrinks too.
    if (share < this.#share)
      for (const [name, all] of this.#kept) this.#kept.set(name, this.#within(all, share));
    this.#share = share;
  }

  /** What of a camera's pictures is young enough and within its share. */
  #within(all: readonly KeyFrame[], share: number): readonly KeyFrame[] {
    const { keptMs = 40_000 } = this.#options;
    const newest = all.at(-1);
    if (!newest) return all;
    let bytes = newest.frame.pixels.length;
    // From the newest back; a clock that was set back makes what seems to come later worthless too.
    const isKept = ({ frame }: KeyFrame): boolean => {
      const beforeMs = newest.frame.capturedAtMs - frame.capturedAtMs;
      bytes += frame.pixels.length;
      return beforeMs >= 0 && beforeMs <= keptMs && bytes <= share;
    };
    const firstKept = all.slice(0, -1).findLastIndex((one) => !isKept(one)) + 1;
    return firstKept === 0 ? all : all.slice(firstKept);
  }

  #encodeNewest(camera: string, of: KeyFrame): Promise<Buffer> {
    const known = this.#encoded.get(camera);
    if (known?.of === of) return known.png;
    const png = encode(of);
    this.#encoded.set(camera, { of, png });
    return png;
  }
}

function nearest(kept: readonly KeyFrame[], atMs: number): KeyFrame | undefined {
  const found = kept.findLast(({ frame }) => frame.capturedAtMs <= atMs);
  return found && atMs - found.frame.capturedAtMs <= earlierMaxMs ? found : undefined;
}

function encode({ frame, widthPx, heightPx }: KeyFrame): Promise<Buffer> {
  const whole = { x: 0, y: 0, width: widthPx, height: heightPx };
  return encodePng(frame.pixels, widthPx, frame.picture ?? whole);
}
