/** Pictures as PNG, by Node's own zlib: https://www.w3.org/TR/png-3/. */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

/** Part of a picture, in pixels. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const compress = promisify(deflate);
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const channels = 3;

/** @param pixels rgb24, row by row, `rowPx` in each @param crop what of it is wanted */
export async function encodePng(
  pixels: Uint8Array,
  rowPx: number,
  { x, y, width, height }: Crop,
): Promise<Buffer> {
  const rowBytes = width * channels;
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * rowPx + x) * channels;
    const to = row * (rowBytes + 1);
    // Each channel less that of the pixel to its left (filter 1): neighbours are alike, and small numbers pack well.
    rows[to] = 1;
    for (let at = 0; at < rowBytes; at++)
      rows[to + 1 + at] = pixels[from + at]! - (at < channels ? 0 : pixels[from + at - channels]!);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits for each channel; RGB. The rest is 0: deflate, filters for each row, not interlaced.
  const data = await compress(rows, { level: 2 });
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND')]);
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** That of zlib, which Node has only from 20.15 on. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
