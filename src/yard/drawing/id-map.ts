/** Which pixel shows which thing, at half size, from the same figures as the picture. */
import { heightPx, widthPx } from '../world/camera.js';
import type { YardClass } from '../world/labels.js';
import { Brush } from './brush.js';
import type { Backdrop } from './backdrop.js';
import type { Lighting } from './lighting.js';
import { Pen } from './pen.js';
import type { Place } from '../world/place.js';
import { itemsOf } from './scene.js';
import type { Item } from './scene.js';
import type { YardState } from './state.js';
import { pictureGrid, shakeOf } from './weather.js';

export const idsWidth = widthPx / 2;
export const idsHeight = heightPx / 2;

/** Things with fewer pixels than this in the map are left out of it. */
const pixelsMin = 6;

export interface VisibleObject {
  readonly id: number;
  readonly class: YardClass;
  /** Of its visible pixels: x, y, width, height as shares of the picture. */
  readonly box: readonly [number, number, number, number];
  /** Share of its pixels that is neither hidden nor out of the picture. */
  readonly visible: number;
}

export interface IdMap {
  /** 90 rows of 160: index into `objects` + 1, 0 for background. */
  readonly ids: Uint8Array;
  readonly objects: readonly VisibleObject[];
}

/** Room round the picture for what reaches out of it. */
const grid = { scale: 0.5, padX: 56, padY: 34 } as const;

export class IdMapper {
  private readonly place: Place;
  private readonly backdrop: Backdrop;
  private readonly brush: Brush;
  private readonly pen: Pen;

  constructor(place: Place, backdrop: Backdrop, lighting: Lighting) {
    this.place = place;
    this.backdrop = backdrop;
    this.brush = new Brush(place.camera, grid);
    this.pen = new Pen(this.brush, lighting);
  }

  draw(state: YardState): IdMap {
    const { brush } = this;
    const items = itemsOf(state);
    const shift = shakeOf(this.place, state.tick);
    brush.shiftU = -shift.x / pictureGrid.scale;
    brush.shiftV = -shift.y / pictureGrid.scale;
    this.clear();
    this.setBackdrop(shift);
    items.forEach((item, index) => this.drawItem(item, index + 1));
    const owners = this.cutOut();
    this.clear();
    const numbers = new Uint8Array(items.length + 1);
    const objects: VisibleObject[] = [];
    extentsOf(owners, items.length).forEach(({ count, box }, index) => {
      const item = items[index];
      if (item === undefined || count < pixelsMin) return;
      objects.push({ id: item.id, class: item.class, box, visible: count / this.fullCount(item) });
      numbers[index + 1] = objects.length;
    });
    return { ids: owners.map((owner) => numbers[owner]!), objects };
  }

  private drawItem(item: Item, owner: number): void {
    this.pen.begin(owner, item.x, item.z);
    item.draw(this.pen);
    this.pen.glows.length = 0;
  }

  private clear(): void {
    this.brush.nearness.fill(0);
    this.brush.owners.fill(0);
  }

  /** How many pixels it would have if nothing hid it; the map is empty before and after. */
  private fullCount(item: Item): number {
    const { brush } = this;
    brush.forgetRows();
    this.drawItem(item, 1);
    const from = brush.drawnFrom * brush.width;
    const to = brush.drawnTo * brush.width;
    let count = 0;
    for (let at = from; at < to; at++) count += brush.owners[at]!;
    brush.owners.fill(0, from, to);
    brush.nearness.fill(0, from, to);
    return Math.max(1, count);
  }

  /** Depths of what stands still, one sample for each pixel of the map. */
  private setBackdrop(shift: { x: number; y: number }): void {
    const { scale, padX, padY } = pictureGrid;
    const width = widthPx * scale + 2 * padX;
    const step = scale / grid.scale;
    const { nearness } = this.backdrop;
    for (let y = 0; y < idsHeight; y++)
      for (let x = 0; x < idsWidth; x++) {
        const row = (y + 0.5) * step + padY + shift.y;
        const column = (x + 0.5) * step + padX + shift.x;
        this.brush.nearness[(y + grid.padY) * this.brush.width + x + grid.padX] =
          nearness[row * width + column] ?? 0;
      }
  }

  /** Owners inside the picture. */
  private cutOut(): Uint8Array {
    const { owners, width } = this.brush;
    const cut = new Uint8Array(idsWidth * idsHeight);
    for (let y = 0; y < idsHeight; y++) {
      const from = (y + grid.padY) * width + grid.padX;
      cut.set(owners.subarray(from, from + idsWidth), y * idsWidth);
    }
    return cut;
  }
}

interface Extent {
  readonly count: number;
  readonly box: VisibleObject['box'];
}

/** Of the owners 1 to `last`. */
function extentsOf(owners: Uint8Array, last: number): Extent[] {
  const found = Array.from({ length: last + 1 }, () => ({
    ...{ count: 0, left: idsWidth, top: idsHeight, right: -1, bottom: -1 },
  }));
  for (let y = 0, at = 0; y < idsHeight; y++)
    for (let x = 0; x < idsWidth; x++, at++) {
      if (owners[at] === 0) continue;
      const it = found[owners[at]!]!;
      it.count++;
      if (x < it.left) it.left = x;
      if (x > it.right) it.right = x;
      if (y < it.top) it.top = y;
      it.bottom = y;
    }
  return found.slice(1).map(({ count, left, top, right, bottom }) => ({
    count,
    box: [
      left / idsWidth,
      top / idsHeight,
      (right - left + 1) / idsWidth,
      (bottom - top + 1) / idsHeight,
    ],
  }));
}
