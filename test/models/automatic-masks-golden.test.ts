import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  filterMasks,
  mergeCrops,
  selectMasks,
  suppressWithinCrop,
  type MaskParameters,
} from '../../src/models/automatic-masks.js';
import { cropsOf, viewOf } from '../../src/models/crops.js';
import type { Manifest } from '../../src/models/manifest.js';

/** What the reference in Python (training/golden_masks.py) makes of the same logits. */
interface Golden {
  readonly rows: number;
  readonly columns: number;
  readonly frame: readonly [number, number];
  readonly picture: readonly [number, number, number, number];
  readonly cases: readonly {
    readonly name: string;
    readonly parameters: MaskParameters &
      Pick<Manifest['segmenter'], 'cropNLayers' | 'cropOverlapRatio'>;
    readonly crops: readonly {
      readonly box: readonly [number, number, number, number];
      readonly layer: number;
      /** int8, in halves. */
      readonly logits: string;
      readonly predictedIous: string;
    }[];
    readonly good: readonly number[];
    readonly kept: readonly {
      readonly box: readonly [number, number, number, number];
      readonly predictedIou: number;
      readonly stability: number | null;
      readonly cells: string;
    }[];
  }[];
}

const path = fileURLToPath(new URL('../golden/automatic-masks.json', import.meta.url));
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
const { rows, columns } = golden;
const [x, y, width, height] = golden.picture;
const picture = { x, y, width, height };
const frame = { widthPx: golden.frame[0], heightPx: golden.frame[1] };

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(base64, 'base64'));

/** Bits, most significant first, as numpy packs them. */
function bitsOf(base64: string): Uint8Array {
  const packed = bytesOf(base64);
  return Uint8Array.from(
    { length: rows * columns },
    (_, at) => (packed[at >> 3]! >> (7 - (at & 7))) & 1,
  );
}

test.each(golden.cases)('$name: the same masks in the same order as in Python', (one) => {
  const { parameters } = one;
  const crops = cropsOf(picture, parameters);
  expect(crops.map(({ box, layer }) => [box.x, box.y, box.width, box.height, layer])).toEqual(
    one.crops.map(({ box, layer }) => [...box, layer]),
  );
  const good = one.crops.map(({ logits, predictedIous }, index) => {
    const { box, layer } = crops[index]!;
    const view =
      layer === 0
        ? undefined
        : viewOf(box, picture, frame, { maskRows: rows, maskColumns: columns });
    const numbers = Float32Array.from(new Int8Array(bytesOf(logits).buffer), (half) => half / 2);
    const ious = new Float32Array(bytesOf(predictedIous).buffer);
    return filterMasks(numbers, ious, rows, columns, parameters, view);
  });
  expect(good.map(({ length }) => length)).toEqual(one.good);

  const kept = mergeCrops(
    good.map((masks, index) => {
      const { box } = crops[index]!;
      return { masks: suppressWithinCrop(masks, parameters), area: box.width * box.height };
    }),
    rows,
    columns,
    parameters,
  );
  expect(
    kept.map(({ box, predictedIou, stability }) => ({
      box: [box.left, box.top, box.right, box.bottom],
      predictedIou,
      stability: Number.isNaN(stability) ? null : stability,
    })),
  ).toEqual(one.kept.map(({ box, predictedIou, stability }) => ({ box, predictedIou, stability })));
  kept.forEach(({ cells }, index) => expect(cells).toEqual(bitsOf(one.kept[index]!.cells)));
  if (good.length === 1) expect(selectMasks(good[0]!, rows, columns, parameters)).toEqual(kept);
});
