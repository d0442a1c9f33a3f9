import { LookaheadError } from '../errors.js';
import type { Box, Clip } from '../types.js';
import type { Manifest } from './manifest.js';
import { uint8, type Uint8Tensor } from './tensor.js';

/** A rectangle in pixels of the graphs' input. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A clip's frames one after the other, F x height x width x 3. */
export function joinFrames(frames: readonly { readonly pixels: Uint8Array }[]): Uint8Array {
  const pixels = new Uint8Array(frames.reduce((bytes, frame) => bytes + frame.pixels.length, 0));
  let at = 0;
  for (const frame of frames) {
    pixels.set(frame.pixels, at);
    at += frame.pixels.length;
  }
  return pixels;
}

/** The camera's picture inside a clip's frames; all of them where the frames have no bars. */
export function pictureOf({ frames }: Clip, { preprocessing }: Manifest): Rectangle {
  const { widthPx, heightPx } = preprocessing;
  return frames[0]?.picture ?? { x: 0, y: 0, width: widthPx, height: heightPx };
}

/**
 * Frames as the graphs take them: bytes, without any conversion; scaling to the net's range is in the graph.
 *
 * @param pixels F x height x width x 3, rgb24
 * @returns uint8 [1, F, height, width, 3]
 */
export function clipTensor(pixels: Uint8Array, manifest: Manifest): Uint8Tensor {
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerClip } = manifest.geometry;
  const expected = framesPerClip * heightPx * widthPx * 3;
  if (pixels.length !== expected) {
    throw new LookaheadError(
      'model_failed',
      `A clip has ${String(pixels.length)} bytes; ${String(framesPerClip)} frames of ${String(widthPx)} x ${String(heightPx)} rgb24 have ${String(expected)}.`,
      "Scale frames to the bundle's preprocessing size before they are perceived.",
    );
  }
  return uint8([1, framesPerClip, heightPx, widthPx, 3], pixels);
}

/** One frame of a clip, a view of the same bytes. */
export function frameOf(pixels: Uint8Array, index: number, manifest: Manifest): Uint8Array {
  const bytes = manifest.preprocessing.widthPx * manifest.preprocessing.heightPx * 3;
  return pixels.subarray(index * bytes, (index + 1) * bytes);
}

/** Input pixels to shares of the camera's picture; what lies in the bars is cut off. */
export function toShares(box: Rectangle, picture: Rectangle): Box {
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  const x = clamp((box.x - picture.x) / picture.width);
  const y = clamp((box.y - picture.y) / picture.height);
  const right = clamp((box.x + box.width - picture.x) / picture.width);
  const bottom = clamp((box.y + box.height - picture.y) / picture.height);
  return { x, y, width: right - x, height: bottom - y };
}

/** Shares of the camera's picture to input pixels. */
export function toPixels(box: Box, picture: Rectangle): Rectangle {
  return {
    x: picture.x + box.x * picture.width,
    y: picture.y + box.y * picture.height,
    width: box.width * picture.width,
    height: box.height * picture.height,
  };
}
