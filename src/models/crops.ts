/** SAM's crops: the picture in parts, each segmented at the full size of the encoder's input. Pure. */
import type { CellBox, CropView } from './automatic-masks.js';
import type { Manifest } from './manifest.js';
import type { Rectangle, Size } from './preprocess.js';

export interface Crop {
  /** Whole input pixels of the key frame. */
  readonly box: Rectangle;
  /** 0: the whole picture; layer i has 2^i x 2^i crops. */
  readonly layer: number;
}

type CropParameters = Pick<Manifest['segmenter'], 'cropNLayers' | 'cropOverlapRatio'>;
type Geometry = Pick<Manifest['geometry'], 'maskRows' | 'maskColumns'>;

/** At SAM's own 1024 pixels a box within 20 of a crop's edge counts as touching it. */
const edgeShare = 20 / 1024;

/** The whole picture, then layer by layer its crops, column by column. */
export function cropsOf(
  picture: Rectangle,
  { cropNLayers, cropOverlapRatio }: CropParameters,
): Crop[] {
  const width = Math.floor(picture.width);
  const height = Math.floor(picture.height);
  const crops: Crop[] = [{ box: { ...picture, width, height }, layer: 0 }];
  for (let layer = 1; layer <= cropNLayers; layer++) {
    const perSide = 2 ** layer;
    const overlap = Math.floor((cropOverlapRatio * Math.min(width, height) * 2) / perSide);
    const cropWidth = Math.ceil((overlap * (perSide - 1) + width) / perSide);
    const cropHeight = Math.ceil((overlap * (perSide - 1) + height) / perSide);
    for (let column = 0; column < perSide; column++) {
      for (let row = 0; row < perSide; row++) {
        const x = column * (cropWidth - overlap);
        const y = row * (cropHeight - overlap);
        const box = {
          x: picture.x + x,
          y: picture.y + y,
          width: Math.min(cropWidth, width - x),
          height: Math.min(cropHeight, height - y),
        };
        crops.push({ box, layer });
      }
    }
  }
  return crops;
}

/** Where a crop lies in the encoder's input: as large as fits, in the middle. */
export function letterbox(box: Size, frame: Size): Rectangle {
  const scale = Math.min(frame.widthPx / box.widthPx, frame.heightPx / box.heightPx);
  const width = box.widthPx * scale;
  const height = box.heightPx * scale;
  return { x: (frame.widthPx - width) / 2, y: (frame.heightPx - height) / 2, width, height };
}

/**
 * A crop of a frame, enlarged (bilinear) to fit a frame of the same size, black around it.
 *
 * @param frame rgb24, height x width x 3
 */
export function cropFrame(
  frame: Uint8Array,
  { widthPx, heightPx }: Size,
  box: Rectangle,
): Uint8Array {
  const out = new Uint8Array(frame.length);
  const content = letterbox({ widthPx: box.width, heightPx: box.height }, { widthPx, heightPx });
  const across = samples(widthPx, content.x, content.width, box.x, box.width);
  const down = samples(heightPx, content.y, content.height, box.y, box.height);
  for (let y = 0; y < heightPx; y++) {
    const upper = down.first[y]!;
    if (upper < 0) continue;
    const lower = down.second[y]!;
    const v = down.share[y]!;
    for (let x = 0; x < widthPx; x++) {
      const left = across.first[x]!;
      if (left < 0) continue;
      const right = across.second[x]!;
      const u = across.share[x]!;
      for (let c = 0; c < 3; c++) {
        const above =
          frame[(upper * widthPx + left) * 3 + c]! * (1 - u) +
          frame[(upper * widthPx + right) * 3 + c]! * u;
        const below =
          frame[(lower * widthPx + left) * 3 + c]! * (1 - u) +
          frame[(lower * widthPx + right) * 3 + c]! * u;
        out[(y * widthPx + x) * 3 + c] = Math.round(above * (1 - v) + below * v);
      }
    }
  }
  return out;
}

/** How the masks of a crop are seen in the picture: bilinear between the cells of its own grid. */
export function viewOf(
  box: Rectangle,
  picture: Rectangle,
  frame: Size,
  { maskRows, maskColumns }: Geometry,
): CropView {
  const cellWidth = frame.widthPx / maskColumns;
  const cellHeight = frame.heightPx / maskRows;
  const content = letterbox({ widthPx: box.width, heightPx: box.height }, frame);
  const inCells = ({ x, y, width, height }: Rectangle): Rectangle => ({
    x: x / cellWidth,
    y: y / cellHeight,
    width: width / cellWidth,
    height: height / cellHeight,
  });
  const from = inCells(box);
  const to = inCells(content);
  // The other way round than for the picture: the crop's grid is what is read.
  const across = samples(maskColumns, from.x, from.width, to.x, to.width);
  const down = samples(maskRows, from.y, from.height, to.y, to.height);
  const place = (logits: Float32Array, into: Float32Array): void => {
    for (let row = 0, at = 0; row < maskRows; row++) {
      const upper = down.first[row]! * maskColumns;
      const lower = down.second[row]! * maskColumns;
      const v = down.share[row]!;
      for (let column = 0; column < maskColumns; column++, at++) {
        const left = across.first[column]!;
        if (upper < 0 || left < 0) {
          into[at] = -Infinity;
          continue;
        }
        const right = across.second[column]!;
        const u = across.share[column]!;
        const above = logits[upper + left]! * (1 - u) + logits[upper + right]! * u;
        const below = logits[lower + left]! * (1 - u) + logits[lower + right]! * u;
        into[at] = above * (1 - v) + below * v;
      }
    }
  };
  const edgeCells = edgeShare * Math.max(maskRows, maskColumns);
  return { crop: cellBoxOf(from), picture: cellBoxOf(inCells(picture)), edgeCells, place };
}

function cellBoxOf({ x, y, width, height }: Rectangle): CellBox {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

/**
 * For each of `count` places along one side: between which two places of the other grid its middle lies, and how far
 * towards the second; -1 where it lies outside [from, from + length).
 */
function samples(
  count: number,
  from: number,
  length: number,
  otherFrom: number,
  otherLength: number,
): {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
} {
  const first = new Int32Array(count).fill(-1);
  const second = new Int32Array(count).fill(-1);
  const share = new Float64Array(count);
  const lowest = Math.floor(otherFrom);
  const highest = Math.ceil(otherFrom + otherLength) - 1;
  for (let at = 0; at < count; at++) {
    const middle = at + 0.5;
    if (middle < from || middle >= from + length) continue;
    const other = otherFrom + ((middle - from) / length) * otherLength - 0.5;
    const floor = Math.floor(other);
    first[at] = Math.min(highest, Math.max(lowest, floor));
    second[at] = Math.min(highest, Math.max(lowest, floor + 1));
    share[at] = other - floor;
  }
  return { first, second, share };
}
