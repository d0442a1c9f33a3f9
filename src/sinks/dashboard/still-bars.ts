/** The bars of a still whose scenes tell nothing yet: rows or columns that are black just where a usual picture has them. Pure. */
import { wholeFrame, type PictureArea } from './picture-area.js';

/** Width by height, of cameras as they are sold. */
const usualRatios = [16 / 9, 4 / 3, 3 / 2, 5 / 4, 1, 2, 21 / 9, 8 / 3, 9 / 16, 3 / 4];
/** Of 255; compression does not keep black quite black. */
const blackMax = 12;

/** @param data RGBA, row by row */
export function barsOf(data: Uint8ClampedArray, width: number, height: number): PictureArea {
  const isBlack = (x: number, y: number): boolean => {
    const i = (y * width + x) * 4;
    return data[i]! <= blackMax && data[i + 1]! <= blackMax && data[i + 2]! <= blackMax;
  };
  const isBlackRow = (y: number): boolean => {
    for (let x = 0; x < width; x++) if (!isBlack(x, y)) return false;
    return true;
  };
  const isBlackColumn = (x: number): boolean => {
    for (let y = 0; y < height; y++) if (!isBlack(x, y)) return false;
    return true;
  };
  for (const ratio of usualRatios) {
    const bar = (height - Math.round(width / ratio)) / 2;
    if (bar >= 1 && hasBars(bar, height, isBlackRow))
      return { width: 1, height: 1 - (2 * bar) / height };
    const side = (width - Math.round(height * ratio)) / 2;
    if (side >= 1 && hasBars(side, width, isBlackColumn))
      return { width: 1 - (2 * side) / width, height: 1 };
  }
  return wholeFrame;
}

/** Black up to the bar's end on both sides, and not beyond it. */
function hasBars(bar: number, length: number, isBlack: (line: number) => boolean): boolean {
  const whole = Math.floor(bar);
  for (let i = 0; i < whole; i++) if (!isBlack(i) || !isBlack(length - 1 - i)) return false;
  const within = Math.ceil(bar);
  return !isBlack(within) || !isBlack(length - 1 - within);
}
