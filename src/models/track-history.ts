/** The tracks of a window as look by look what was seen of each: scenes in, tensors out. Pure. */
import type { Box } from '../types.js';
import type { Manifest } from './manifest.js';
import type { SeenObject, SeenScene } from './seen-window.js';
import { float32, int64, type Tensors } from './tensor.js';

/** What of a manifest says how long a history is and how wide. */
export interface HistoryShape {
  readonly classes: readonly string[];
  readonly clipsPerWindow: number;
  /** L frames of a clip at which an object's place is told; the last is the key frame. */
  readonly lookFrames: readonly number[];
  /** A names. */
  readonly objectAttributes: readonly string[];
  /** P names. */
  readonly place: readonly string[];
}

export function historyShapeOf({ classes, geometry }: Manifest): HistoryShape {
  const { clipsPerWindow, lookFrames, objectAttributes, place } = geometry;
  return { classes, clipsPerWindow, lookFrames, objectAttributes, place };
}

/** What a history is made of. */
export type HistoryScene = Pick<SeenScene, 'clip' | 'objects' | 'place'>;

/** One object in a clip of the window. */
export interface Sighting<S extends HistoryScene = HistoryScene> {
  /** 0 is the window's oldest clip. */
  readonly slot: number;
  readonly object: SeenObject;
  readonly scene: S;
  /** Row of the object in its scene. */
  readonly index: number;
}

/** Clips before the newest one are told by their age; older ones than a window is long are not told. */
function slotOf(newest: HistoryScene, { clip }: HistoryScene, shape: HistoryShape): number {
  return shape.clipsPerWindow - 1 - (newest.clip - clip);
}

/** The window's scenes that are not too old. */
export function scenesOf<S extends HistoryScene>(window: readonly S[], shape: HistoryShape): S[] {
  const newest = window.at(-1);
  if (!newest) throw new Error('A window without scenes has no history.');
  return window.filter((scene) => slotOf(newest, scene, shape) >= 0);
}

/** The sightings of each track, oldest first; tracks in the order of their ids. */
export function tracksOf<S extends HistoryScene>(
  window: readonly S[],
  shape: HistoryShape,
): (readonly Sighting<S>[])[] {
  const sightingsOf = new Map<number, Sighting<S>[]>();
  const scenes = scenesOf(window, shape);
  const newest = scenes.at(-1);
  for (const scene of scenes)
    scene.objects.forEach((object, index) => {
      const slot = slotOf(newest ?? scene, scene, shape);
      const sightings = sightingsOf.get(object.track) ?? [];
      sightings.push({ slot, object, scene, index });
      sightingsOf.set(object.track, sightings);
    });
  return [...sightingsOf].sort(([a], [b]) => a - b).map(([, sightings]) => sightings);
}

/**
 * The window's last `clipsPerWindow` clips, T = clipsPerWindow x L looks, oldest first; of M tracks, in the order of their
 * ids. A track that was lost and found again under a new id is two. A look at which a track was not seen, a clip that was
 * dropped, and the time before the camera's first clip are zeros; without any track M is 1 and all of it zeros.
 *
 * A clip's looks share what the key frame shows: size and attributes. The box at an earlier look is the key frame's, moved to
 * the centre of that look and cut at the picture's edges; where a clip tells no looks its key frame alone was seen.
 *
 * @param window scenes of one camera, oldest first; the last one's clip is where the history ends
 * @returns `kind` int64 [M]: the class as which the track was last seen, which is a running vote; `box` float32 [M,T,4]:
 * left, top, width, height, shares of the picture; `seen` float32 [M,T]; `shown` float32 [M,T,A]; `place` float32 [1,P]:
 * means over the window's scenes
 */
export function trackHistory(window: readonly HistoryScene[], shape: HistoryShape): Tensors {
  const scenes = scenesOf(window, shape);
  const tracks = tracksOf(window, shape);

  const rows = Math.max(1, tracks.length);
  const looks = shape.lookFrames.length;
  const times = shape.clipsPerWindow * looks;
  const width = shape.objectAttributes.length;
  const kind = new Array<number>(rows).fill(0);
  const box = new Float32Array(rows * times * 4);
  const seen = new Float32Array(rows * times);
  const shown = new Float32Array(rows * times * width);
  tracks.forEach((sightings, row) => {
    kind[row] = Math.max(0, shape.classes.indexOf(sightings.at(-1)?.object.class ?? ''));
    for (const { slot, object } of sightings) {
      const attributes = shape.objectAttributes.map((name) => object.attributes[name] ?? 0);
      boxesOf(object, looks).forEach((at, look) => {
        if (!at) return;
        const time = row * times + slot * looks + look;
        box.set([at.x, at.y, at.width, at.height], time * 4);
        seen[time] = 1;
        shown.set(attributes, time * width);
      });
    }
  });
  return {
    kind: int64([rows], kind),
    box: float32([rows, times, 4], box),
    seen: float32([rows, times], seen),
    shown: float32([rows, times, width], shown),
    place: float32([1, shape.place.length], placeOf(scenes, shape.place)),
  };
}

/** One for each look, cut at the edges of the picture; null where it is not told. */
export function boxesOf(
  { box, looks }: Pick<SeenObject, 'box' | 'looks'>,
  count: number,
): (Box | null)[] {
  return Array.from({ length: count }, (_, look) => {
    if (look === count - 1) return box;
    const centre = looks[look];
    if (!centre) return null;
    return cut({ ...box, x: centre.x - box.width / 2, y: centre.y - box.height / 2 });
  });
}

/** What of a box lies in the picture: so are the boxes of true tracks. */
function cut({ x, y, width, height }: Box): Box {
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  const [left, top] = [within(x), within(y)];
  return { x: left, y: top, width: within(x + width) - left, height: within(y + height) - top };
}

export function placeOf(
  scenes: readonly Pick<HistoryScene, 'place'>[],
  names: readonly string[],
): Float32Array {
  return Float32Array.from(
    names,
    (name) =>
      scenes.reduce((sum, { place }) => sum + (place[name] ?? 0), 0) / Math.max(1, scenes.length),
  );
}
