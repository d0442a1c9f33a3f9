/** From the state of a world to a picture, and to a map of which pixel shows which thing. */
import type { Place } from '../world/place.js';
import { zones } from '../world/place.js';
import { drawBackdrop } from './backdrop.js';
import type { Backdrop } from './backdrop.js';
import { Brush } from './brush.js';
import { IdMapper } from './id-map.js';
import type { IdMap } from './id-map.js';
import { Lighting } from './lighting.js';
import { Frame, Pen } from './pen.js';
import { itemsOf } from './scene.js';
import type { Item } from './scene.js';
import { drawShadows } from './shadows.js';
import type { YardState } from './state.js';
import { angleOf } from './vehicles.js';
import { Sensor } from './sensor.js';
import { drawGlows, drawPool, drawRain, pictureGrid } from './weather.js';

export { idsHeight, idsWidth } from './id-map.js';
export type { IdMap, VisibleObject } from './id-map.js';

/** Draws the worlds of one place. */
export class Painter {
  private readonly place: Place;
  private readonly lighting: Lighting;
  private readonly backdrop: Backdrop;
  private readonly brush: Brush;
  private readonly pen: Pen;
  private readonly sensor: Sensor;
  private readonly mapper: IdMapper;

  constructor(place: Place) {
    this.place = place;
    this.lighting = new Lighting(place);
    this.backdrop = drawBackdrop(place, this.lighting, pictureGrid);
    this.brush = new Brush(place.camera, pictureGrid);
    this.pen = new Pen(this.brush, this.lighting);
    this.sensor = new Sensor(place);
    this.mapper = new IdMapper(place, this.backdrop, this.lighting);
  }

  /** The picture at this tick: rgba, 320 x 180. */
  frame(state: YardState): Buffer {
    const { brush, pen } = this;
    const { rain, light } = this.place.appearance;
    const items = itemsOf(state);
    brush.colours.set(this.backdrop.colours);
    brush.nearness.set(this.backdrop.nearness);
    pen.glows = [];
    if (light === 'night') this.drawPools(state);
    drawShadows(
      brush,
      this.lighting,
      items.flatMap((item) => item.footprint ?? []),
    );
    if (rain) this.drawReflections(items);
    for (const item of items) this.drawItem(item);
    drawGlows(brush, pen.glows);
    if (rain) drawRain(brush, this.place, state.tick);
    return this.sensor.expose(brush, state.tick);
  }

  drawIds(state: YardState): IdMap {
    return this.mapper.draw(state);
  }

  private drawItem(item: Item): void {
    this.pen.begin(0, item.x, item.z);
    item.draw(this.pen);
  }

  /** Wet ground mirrors what stands on it. */
  private drawReflections(items: readonly Item[]): void {
    this.brush.mirrored = true;
    for (const item of items)
      if (item.z > zones.pavementFrom && item.z < zones.front) this.drawItem(item);
    this.brush.mirrored = false;
  }

  /** What headlights throw on the road. */
  private drawPools(state: YardState): void {
    for (const vehicle of state.vehicles) {
      const frame = new Frame(vehicle.x, vehicle.z, angleOf(vehicle, this.place.direction));
      const [x, , z] = frame.at(3.9, 0, 0);
      if (z < zones.front) drawPool(this.brush, x, z, 2.4, 0.3);
    }
  }
}
