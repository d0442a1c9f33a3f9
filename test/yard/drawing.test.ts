import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { idsWidth, Painter } from '../../src/yard/drawing/painter.js';
import type { VisibleObject } from '../../src/yard/drawing/painter.js';
import { Projection } from '../../src/yard/drawing/projection.js';
import type { YardState } from '../../src/yard/drawing/state.js';
import { heightPx, project, widthPx } from '../../src/yard/world/camera.js';
import { yardClasses } from '../../src/yard/world/labels.js';
import { makePlace } from '../../src/yard/world/place.js';
import type { Appearance, Place } from '../../src/yard/world/place.js';
import { modules } from '../../src/yard/world/templates.js';
import { doorId, gateId, loadIdOf, parcelIdOf } from '../../src/yard/world/things.js';
import type { Person, Vehicle } from '../../src/yard/world/things.js';

type Mutable = { -readonly [K in keyof YardState]: YardState[K] };

const clear: Appearance = {
  ...{ light: 'day', rain: false, tint: 0.5, noise: 0, shakePx: 0, shadow: 0.4, cloudiness: 0.1 },
  hues: { wall: 30, gate: 150, door: 275, dock: 210, grass: 95, ball: 20, road: 220 },
  ...{ roadGrey: 42, wallTexture: 0 },
};

/** A yard with all that there is, from numbers alone: no rule of the world changes these pictures. */
function yard(appearance: Partial<Appearance> = {}, special = false): Mutable {
  const place: Place = {
    ...makePlace(1, { template: { name: 'all', modules: [...modules] } }),
    ...{ seed: 77, direction: -1, gateX: -4.7, gateWidth: 3.5, doorX: 1.7, dockX: 5.4 },
    ...{ dockWidth: 3, stackX: -1.6, crossX: 1.1, kerbX: -2.2, playX: 0.4 },
    camera: { xM: -0.3, heightM: 4.7, pan: 0.03, tilt: 0.39, focalPx: 233 },
    appearance: { ...clear, ...appearance },
  };
  const thing = { event: 1, special, since: 60 };
  return {
    place,
    tick: 98,
    vehicles: [
      { ...vehicle(10, 5.6), kind: 'car', livery: null, special, braking: true },
      { ...vehicle(11, -3.4), livery: 'known', special },
    ],
    people: [
      { ...person(20, 3.3), role: 'owner' },
      { ...person(21, 1.1), state: 'crossing', z: 10.6, special },
      { ...person(22, 2.9), role: 'driver', carrying: true, state: 'on apron', z: 12.5, special },
    ],
    child: {
      id: 30,
      x: 0.4,
      z: 7.2,
      event: 0,
      direction: 1,
      state: 'watching',
      since: 0,
      paint: 0,
    },
    dog: { ...thing, id: 31, x: 1.9, z: 8.15, direction: 1, owner: 20, state: 'following' },
    ball: { ...thing, id: 32, x: -0.3, z: 9, vx: 0, vz: 2, state: 'rolling', metKerb: false },
    bicycle: {
      ...{ ...thing, id: 33, x: -6, z: 9.85, paint: 0.3, speed: 4 },
      ...{ state: 'riding', decided: false },
    },
    forklift: {
      ...{ ...thing, id: 34, x: 0.6, z: 13.6, direction: -1 },
      ...{ state: 'driving', loaded: true, nearWayAt: 0 },
    },
    parcel: { ...thing, id: 35, x: 2.8, z: 14.75 },
    gate: { state: 'opening', since: 0, share: 0.4, usedAt: 0, event: 0 },
    door: { share: 0, openUntil: 0, residentUntil: 0, last: 'none', lastAt: 0, event: 0 },
    dock: { share: 0.7, state: 'opening', since: 0 },
    light: { phase: 'red', since: 0, event: 0 },
    stack: { count: 2, lean: 1, loadedAt: 0, fallen: false, special, event: 0 },
  };
}

function vehicle(id: number, x: number): Vehicle {
  return {
    ...{ id, x, z: 11.1, event: 0, kind: 'van', livery: 'plain', paint: 0.5, cruise: 3 },
    ...{ enteredAt: 0, special: false, speed: 3, braking: false, heading: 0, state: 'driving' },
    ...{ since: 0, plan: null, flashUntil: 0, flashed: false, expected: false, belief: 0 },
    ...{ halt: 'none', driverOut: false, servedAt: 0 },
  };
}

function person(id: number, x: number): Person {
  return {
    ...{ id, x, z: 8.6, event: 0, role: 'walker', speed: 1.4, paint: 0.3, special: false },
    ...{ direction: 1, state: 'walking', since: 0, resumes: 'on apron', decided: true, van: 0 },
    ...{ carrying: false, nearLaneAt: 0 },
  };
}

/** The same yard without its moving things. */
function emptied(state: Mutable): Mutable {
  const none = { child: null, dog: null, ball: null, bicycle: null, forklift: null, parcel: null };
  return { ...state, ...none, vehicles: [], people: [], stack: { ...state.stack, count: 0 } };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const painters = new Map<string, Painter>();

/** One painter for each place, since its backdrop takes a while. */
function painterOf({ place }: YardState): Painter {
  const key = JSON.stringify(place);
  const painter = painters.get(key) ?? new Painter(place);
  painters.set(key, painter);
  return painter;
}

const objectOf = (state: YardState, id: number): VisibleObject | undefined =>
  painterOf(state)
    .drawIds(state)
    .objects.find((it) => it.id === id);

const visible = (state: YardState, id: number): number => objectOf(state, id)?.visible ?? 0;

/** Mean of all channels over a box of the picture. */
function brightness(picture: Buffer, [x, y, width, height]: VisibleObject['box']): number {
  let sum = 0;
  let count = 0;
  for (let v = Math.floor(y * heightPx); v < (y + height) * heightPx; v++)
    for (let u = Math.floor(x * widthPx); u < (x + width) * widthPx; u++, count += 3)
      for (let c = 0; c < 3; c++) sum += picture[(v * widthPx + u) * 4 + c] ?? 0;
  return sum / count;
}

describe('a picture of the yard', () => {
  // No library draws, only V8's arithmetic, so one list serves all machines. It changes with the drawing: whoever changes that
  // looks at the pictures, writes the new list and raises `worldVersion`.
  it.each([
    ['day', { noise: 3 }, '9f8b68d9ac9514bf6015c7e12b52237976fbef3c2e4eeb79db2adc62b27aad68'],
    [
      'dusk',
      { light: 'dusk', noise: 3, wallTexture: 1 },
      '1ce9f19eaa942d6762735cfdf1386f61ae4df2acfab1e0068f465dd1a4587763',
    ],
    [
      'night',
      { light: 'night', noise: 4, wallTexture: 2, shakePx: 1 },
      '832370a77738431e6cdbb6071123a35257c4dd322d744482bb9b17c95d426b00',
    ],
    [
      'rain',
      { rain: true, noise: 2, wallTexture: 3 },
      'c48abbe5e2e8e9494a65cc375e6bd58e3593c00f8ddb6a3341a69c3309b47a64',
    ],
  ] as const)('is the same to the byte wherever it is drawn: %s', (_, appearance, hash) => {
    const state = yard(appearance);
    expect(sha256(painterOf(state).frame(state))).toBe(hash);
  });

  it('depends on its state alone, not on what was drawn before', () => {
    const state = yard({ light: 'night', rain: true, noise: 4, shakePx: 1 });
    const painter = new Painter(state.place);
    const picture = painter.frame(state);
    expect(picture.length).toBe(widthPx * heightPx * 4);
    const other = painter.frame({ ...emptied(state), tick: 99 });
    expect(other.equals(picture)).toBe(false);
    painter.drawIds(state);
    expect(painter.frame(state).equals(picture)).toBe(true);
    expect(new Painter(state.place).frame(state).equals(picture)).toBe(true);
  });

  it('grows darker from day to dusk to night, and stays legible', () => {
    const all = [0, 0, 1, 1] as const;
    const [day, dusk, night] = (['day', 'dusk', 'night'] as const).map((light) => {
      const state = yard({ light });
      return brightness(painterOf(state).frame(state), all);
    });
    expect(dusk).toBeLessThan((day ?? 0) * 0.9);
    expect(night).toBeLessThan((dusk ?? 0) * 0.9);
    expect(night).toBeGreaterThan(30);
  });

  it('shows a flashing van by turns bright and not, four ticks each', () => {
    const flashing = { ...vehicle(11, 1), flashUntil: 200 };
    const state = { ...emptied(yard()), vehicles: [flashing] };
    const painter = painterOf(state);
    const van = painter.drawIds(state).objects.find((it) => it.id === 11);
    expect(van).toBeDefined();
    const [x = 0, y = 0, , height = 0] = van?.box ?? [];
    const nose = [x, y + height * 0.4, 0.06, height * 0.4] as const;
    const levels = [96, 99, 100, 103, 104].map((tick) =>
      brightness(painter.frame({ ...state, tick }), nose),
    );
    expect(levels.map((level) => level > 180)).toEqual([true, true, false, false, true]);
  });

  it('shows the light red above or green below', () => {
    const state = emptied(yard());
    const painter = painterOf(state);
    const light = painter.drawIds(state).objects.find((it) => it.class === 'light');
    const [x = 0, y = 0, width = 0, height = 0] = light?.box ?? [];
    const lamps = (phase: 'red' | 'green'): boolean[] => {
      const picture = painter.frame({ ...state, light: { ...state.light, phase } });
      return [0.12, 0.38].map((share) => {
        const u = Math.round((x + width / 2) * widthPx);
        const v = Math.round((y + height * share) * heightPx);
        const at = (v * widthPx + u) * 4;
        return Math.max(picture[at] ?? 0, picture[at + 1] ?? 0) > 180;
      });
    };
    expect(lamps('red')).toEqual([true, false]);
    expect(lamps('green')).toEqual([false, true]);
  });

  it('shows every special thing otherwise than its like', () => {
    const [usual, special] = [yard(), yard({}, true)];
    const painter = painterOf(usual);
    const map = painter.drawIds(usual);
    const [before, after] = [painter.frame(usual), painter.frame(special)];
    for (const kind of ['car', 'van', 'dog', 'ball', 'parcel', 'stack'] as const) {
      const index = map.objects.findIndex((it) => it.class === kind) + 1;
      expect(changedShare(map.ids, index, before, after), kind).toBeGreaterThan(0.04);
    }
    // The umbrella, the flag and the beacon reach above those who carry them.
    for (const id of [21, 33, 34])
      expect(objectOf(special, id)?.box[1], String(id)).toBeLessThan(
        objectOf(usual, id)?.box[1] ?? 0,
      );
  });
});

/** Share of an object's pixels at which two pictures differ clearly. */
function changedShare(ids: Uint8Array, index: number, before: Buffer, after: Buffer): number {
  let marked = 0;
  let changed = 0;
  ids.forEach((value, at) => {
    if (value !== index) return;
    marked++;
    const pixel = ((2 * Math.floor(at / idsWidth) + 1) * widthPx + 2 * (at % idsWidth) + 1) * 4;
    if ([0, 1, 2].some((c) => Math.abs((before[pixel + c] ?? 0) - (after[pixel + c] ?? 0)) > 4))
      changed++;
  });
  expect(marked).toBeGreaterThan(0);
  return changed / marked;
}

describe('the map of ids', () => {
  it('knows every class, each in its box', () => {
    const state = yard();
    const map = painterOf(state).drawIds(state);
    const classes = new Set<string>(map.objects.map((it) => it.class));
    expect([...classes].sort()).toEqual(yardClasses.filter((it) => it !== 'background').sort());
    const ids = map.objects.map((it) => it.id);
    expect(ids).toContain(parcelIdOf(22));
    expect(ids).toContain(loadIdOf(34));
    map.objects.forEach(({ box: [x, y, width, height], visible: share }, i) => {
      const columns: number[] = [];
      const rows: number[] = [];
      map.ids.forEach((value, at) => {
        if (value !== i + 1) return;
        columns.push(at % idsWidth);
        rows.push(Math.floor(at / idsWidth));
      });
      expect(columns.length).toBeGreaterThanOrEqual(6);
      expect([Math.min(...columns) / 160, Math.min(...rows) / 90]).toEqual([x, y]);
      expect(1 + Math.max(...columns) - Math.min(...columns)).toBeCloseTo(width * 160, 9);
      expect(1 + Math.max(...rows) - Math.min(...rows)).toBeCloseTo(height * 90, 9);
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
    });
  });

  it.each([0, 1.5])(
    'marks the pixels that a thing changes, also when the camera shakes by %s',
    (shakePx) => {
      const state = { ...yard({ shakePx }), tick: 97 };
      const painter = painterOf(state);
      const map = painter.drawIds(state);
      const picture = painter.frame(state);
      const without: [number, Partial<Mutable>][] = [
        [11, { vehicles: state.vehicles.slice(0, 1) }],
        [20, { people: state.people.slice(1) }],
        [30, { child: null }],
        [31, { dog: null }],
        [32, { ball: null }],
        [33, { bicycle: null }],
        [35, { parcel: null }],
      ];
      for (const [id, change] of without) {
        const index = map.objects.findIndex((it) => it.id === id) + 1;
        const after = painter.frame({ ...state, ...change });
        expect(changedShare(map.ids, index, picture, after), String(id)).toBeGreaterThan(0.9);
      }
    },
  );

  it('leaves out what the template lacks', () => {
    const place = makePlace(3, {
      template: { name: 'lawn+bicycle', modules: ['lawn', 'bicycle'] },
    });
    const state = { ...emptied(yard()), place };
    expect(new Painter(place).drawIds(state).objects.map((it) => it.id)).toEqual([doorId]);
  });

  it('says how much of a thing is hidden or out of the picture', () => {
    const state = emptied(yard());
    const behind = { ...person(20, 0.5), z: 12.5, state: 'leaving' as const };
    state.people = [behind];
    expect(visible(state, 20)).toBe(1);
    state.vehicles = [vehicle(11, 0.5)];
    expect(visible(state, 20)).toBeLessThan(0.5);
    expect(visible(state, 11)).toBe(1);
    // Nearer than the van it hides a part of it instead.
    state.people = [{ ...behind, z: 9.5 }];
    expect(visible(state, 20)).toBe(1);
    expect(visible(state, 11)).toBeLessThan(0.95);
    state.people = [];
    state.vehicles = [vehicle(11, state.place.camera.xM + 8.8)];
    expect(visible(state, 11)).toBeGreaterThan(0.2);
    expect(visible(state, 11)).toBeLessThan(0.8);
  });

  it('shows a van behind the front only through the open gate', () => {
    const state = emptied(yard());
    const inside = (share: number, z: number, x = state.place.gateX): number =>
      visible(
        {
          ...state,
          vehicles: [{ ...vehicle(11, x), z, heading: Math.PI / 2, state: 'driving in' }],
          gate: { ...state.gate, share },
        },
        11,
      );
    expect(inside(1, 17.5)).toBeGreaterThan(0.7);
    expect(inside(0, 17.5)).toBeLessThan(0.45);
    // Half through, all of it shows: what is before the front is hidden by nothing.
    expect(inside(1, 15)).toBeGreaterThan(0.95);
    expect(inside(1, 17.5, state.place.gateX + 6)).toBe(0);
  });

  it('keeps gate and door in sight when they stand open', () => {
    const state = emptied(yard());
    state.gate = { ...state.gate, share: 1 };
    state.door = { ...state.door, share: 1 };
    expect(visible(state, gateId)).toBeGreaterThan(0.5);
    expect(visible(state, doorId)).toBeGreaterThan(0.8);
  });
});

describe('the projection', () => {
  it('is the camera’s', () => {
    const { camera } = yard().place;
    const projection = new Projection(camera);
    for (const [x, y, z] of [
      [0, 0, 7],
      [-6, 2.1, 15],
      [8, 0.4, 12],
      [3, 3.7, 24],
    ] as const) {
      const { u, v, depthM } = project(camera, x, y, z);
      projection.see(x, y, z);
      expect(projection.u).toBeCloseTo(u, 9);
      expect(projection.v).toBeCloseTo(v, 9);
      expect(projection.nearness).toBeCloseTo(1 / depthM, 9);
    }
  });
});
