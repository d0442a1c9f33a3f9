/** What this writes, another library reads as the very same pixels. */
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { expect, it } from 'vitest';
import { encodePng } from '../src/png.js';

/** As an independent decoder sees it: rgb24. */
async function decode(png: Buffer): Promise<{ width: number; height: number; pixels: number[] }> {
  const image = await loadImage(png);
  const { width, height } = image;
  const context = createCanvas(width, height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, pixels: [...data].filter((_, at) => at % 4 !== 3) };
}

/** Colours that change quickly, so that no filter could hide a mistake. */
const pixelsOf = (count: number): Uint8Array =>
  Uint8Array.from({ length: count * 3 }, (_, at) => (at * 97 + ((at * at) >> 3)) % 256);

it.each([
  [1, 1],
  [7, 3],
  [160, 96],
])('a picture of %i x %i comes back pixel by pixel', async (width, height) => {
  const pixels = pixelsOf(width * height);
  const png = await encodePng(pixels, width, { x: 0, y: 0, width, height });
  expect(await decode(png)).toEqual({ width, height, pixels: [...pixels] });
});

it('leaves out what is not asked for', async () => {
  const pixels = pixelsOf(8 * 6);
  const png = await encodePng(pixels, 8, { x: 2, y: 1, width: 5, height: 4 });
  const wanted = [1, 2, 3, 4].flatMap((row) => [
    ...pixels.subarray((row * 8 + 2) * 3, (row * 8 + 7) * 3),
  ]);
  expect(await decode(png)).toEqual({ width: 5, height: 4, pixels: wanted });
});
