/** Things as the engine would see them: a mask on the models' grid, and the box that it fills. */
import { encodeRle } from '../../src/models/rle.js';
import type { SceneMessage } from '../../src/messages.js';

type Thing = SceneMessage['objects'][number];
type Box = Thing['box'];

/** A picture of 16:9 in a frame of 160 x 96, whose masks have cells of 2 x 2: bars of one and a half rows. */
export const [rows, columns, barRows] = [48, 80, 1.5];

/** An ellipse for what moves, a rectangle for what stands. */
export function seenThing(
  track: number,
  name: string,
  { x, y, width, height }: Box,
  velocity = { x: 0, y: 0 },
): Thing {
  const shownRows = rows - 2 * barRows;
  const isRound = velocity.x !== 0 || velocity.y !== 0;
  const cells = new Uint8Array(rows * columns);
  let [left, top, right, bottom] = [columns, rows, 0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const u = ((column + 0.5) / columns - x) / width;
      const v = ((row + 0.5 - barRows) / shownRows - y) / height;
      const isIn = isRound
        ? (u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.25
        : u > 0 && u < 1 && v > 0 && v < 1;
      if (!isIn) continue;
      cells[row * columns + column] = 1;
      left = Math.min(left, column);
      right = Math.max(right, column + 1);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row + 1);
    }
  }
  const mask = encodeRle(cells, rows, columns);
  return {
    track,
    class: name,
    classProbability: 0.97,
    box: {
      x: left / columns,
      y: (top - barRows) / shownRows,
      width: (right - left) / columns,
      height: (bottom - top) / shownRows,
    },
    velocity,
    ageClips: 12,
    mask: { size: [...mask.size], counts: [...mask.counts] },
  };
}
