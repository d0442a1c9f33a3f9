import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { idsWidth, Painter } from '../../src/yard/draw.js';
import { YardFilm } from '../../src/yard/film.js';
import { heightPx, makePlace, widthPx } from '../../src/yard/place.js';
import { World } from '../../src/yard/world.js';

/** Mean of each 32 x 36 block and channel: what a picture looks like, whatever the machine's rounding. */
function blocks(pixels: Buffer): number[] {
  const sums = new Array<number>(10 * 5 * 3).fill(0);
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++)
      for (let c = 0; c < 3; c++) {
        const at = (Math.floor(y / 36) * 10 + Math.floor(x / 32)) * 3 + c;
        sums[at] = (sums[at] ?? 0) + (pixels[(y * widthPx + x) * 4 + c] ?? 0) / (32 * 36);
      }
  return sums.map((sum) => Math.round(sum * 10) / 10);
}

describe('a yard film', () => {
  it('shows the same pictures for the same seed and others for another', () => {
    const [film, same, other] = [new YardFilm(5), new YardFilm(5), new YardFilm(6)];
    for (let i = 0; i < 40; i++) {
      const picture = film.next();
      expect(picture.length).toBe(widthPx * heightPx * 4);
      expect(picture.equals(same.next())).toBe(true);
      expect(picture.equals(other.next())).toBe(false);
    }
  });

  it('looks as it did when its data were recorded', () => {
    const golden = JSON.parse(readFileSync('test/golden/yard-frames.json', 'utf8')) as number[][];
    const seen = [1, 2, 3].map((seed) => {
      const film = new YardFilm(seed);
      for (let i = 0; i < 99; i++) film.next();
      return blocks(film.next());
    });
    expect(seen.length).toBe(golden.length);
    seen.flat().forEach((value, i) => {
      expect(Math.abs(value - (golden.flat()[i] ?? 0))).toBeLessThan(1.5);
    });
  });

  it('runs for ever: things keep arriving', () => {
    const film = new YardFilm(9);
    for (let i = 0; i < 16 * 3600; i++) film.world.step();
    const lastMinute = film.world.events.filter((event) => event.tick > film.world.tick - 16 * 60);
    expect(lastMinute.length).toBeGreaterThan(3);
  });
});

describe('the map of ids', () => {
  const place = { ...makePlace(4), noise: 0, shadowPx: 0 };

  /** A world with a van, a person and a ball in the open. */
  function populated(): World {
    const world = new World(4, place);
    world.van = {
      ...{ id: 10, x: 120, y: 118, direction: 1, entered: true, colour: 'red', cruise: 70 },
      ...{ speed: 70, braking: false, state: 'driving', plan: 'pass', age: 0 },
    };
    world.persons = [
      {
        ...{ id: 11, x: 240, y: place.roadBottom + 9, direction: 1, entered: true, speed: 30 },
        ...{ spot: 8, state: 'walking', decided: false, waited: false, age: 0 },
      },
    ];
    world.ball = {
      ...{ id: 12, x: 200, y: 125, direction: 1, entered: true },
      ...{ vx: 0, vy: -30, onRoad: true, carried: false },
    };
    return world;
  }

  it('marks the pixels that a thing changes in the picture', () => {
    const painter = new Painter(place);
    for (const [id, remove] of [
      [10, (world: World) => (world.van = null)],
      [11, (world: World) => (world.persons = [])],
      [12, (world: World) => (world.ball = null)],
    ] as const) {
      const world = populated();
      const map = painter.drawIds(world);
      const picture = painter.frame(world);
      remove(world);
      const without = painter.frame(world);
      const index = map.objects.findIndex((object) => object.id === id) + 1;
      expect(index).toBeGreaterThan(0);
      let marked = 0;
      let changed = 0;
      map.ids.forEach((value, at) => {
        if (value !== index) return;
        marked++;
        const pixel = (Math.floor(at / idsWidth) * 2 * widthPx + (at % idsWidth) * 2) * 4;
        const differs = [0, 1, 2].some((c) => picture[pixel + c] !== without[pixel + c]);
        if (differs) changed++;
      });
      expect(marked).toBeGreaterThan(20);
      expect(changed / marked).toBeGreaterThan(0.9);
    }
  });

  it('gives each thing the box around its pixels', () => {
    const map = new Painter(place).drawIds(populated());
    expect(map.objects.map((object) => object.class).sort()).toEqual(
      ['ball', 'door', 'gate', 'person', 'van'].sort(),
    );
    map.objects.forEach(({ box: [x, y, width, height] }, i) => {
      map.ids.forEach((value, at) => {
        if (value !== i + 1) return;
        expect(at % idsWidth).toBeGreaterThanOrEqual(x * 160);
        expect(at % idsWidth).toBeLessThan((x + width) * 160 + 1e-9);
        expect(Math.floor(at / idsWidth)).toBeGreaterThanOrEqual(y * 90);
        expect(Math.floor(at / idsWidth)).toBeLessThan((y + height) * 90 + 1e-9);
      });
    });
  });

  it('says how much of a thing is hidden or out of the picture', () => {
    const painter = new Painter(place);
    const world = populated();
    const visible = (id: number): number =>
      painter.drawIds(world).objects.find((object) => object.id === id)?.visible ?? 0;
    expect(visible(10)).toBeGreaterThan(0.9);
    if (world.van) world.van.x = 0;
    expect(visible(10)).toBeGreaterThan(0.35);
    expect(visible(10)).toBeLessThan(0.65);
    const [person] = world.persons;
    if (world.van) world.van.x = 120;
    if (person) Object.assign(person, { x: 120, y: place.wallY + 10, state: 'leaving' });
    // Its legs are behind the van.
    expect(visible(11)).toBeLessThan(0.98);
    expect(visible(10)).toBeGreaterThan(0.9);
  });
});
