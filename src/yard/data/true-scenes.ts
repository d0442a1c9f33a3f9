/** A recorded scene as a perfect perception would tell it: who knows what tracks are worth needs them without an error. */
import type { Manifest } from '../../models/manifest.js';
import type { RecognisedEvent, Scene, SceneObject } from '../../types.js';
import type { Seen } from '../truth/look.js';
import type { World } from '../world/world.js';
import { eventTime, replayMs } from '../scoring/recorded-truth.js';
import type { RecordedTruth } from './read-recording.js';
import type { Dataset } from './schema.js';
import { drawnSplit, openScene } from './splits.js';
import { lookAtClip, looksPerClip, type Tracked } from './tracks.js';

type Shape = Pick<Manifest, 'labels' | 'geometry'>;

/**
 * The world is run again, and looked at 4 times a clip like the simulator's track files. A thing is told in the clips at whose key
 * frame at least a fifth of it shows, with its true id, box, attributes, and centres at the looks at which it could be seen;
 * as everywhere in scenes, a clip's looks share the key frame's size and attributes. The events are the true ones. CLS
 * and pooled tokens are zeros: nothing was looked at.
 *
 * @returns one scene for each clip of the recording
 */
export function trueScenes(truth: RecordedTruth, dataset: Dataset, manifest: Shape): Scene[] {
  const { scene, template, rain } = truth.scene;
  const { visionDim, attributes, place } = manifest.geometry;
  const world = openScene(drawnSplit(dataset.split), dataset.seed, scene);
  if (world.seed !== truth.scene.seed)
    throw new TypeError(`Scene ${String(scene)} was recorded of another world.`);
  const placeOf = truePlace(template.split('+'), rain, place);
  const bornAt = new Map<number, number>();
  return truth.clips.map(({ clip, endS }) => {
    const objects = trueObjects(world, clip, bornAt, manifest);
    const toMs = replayMs(endS, dataset);
    return {
      camera: String(scene),
      clip,
      fromMs: replayMs(endS - 1, dataset) + 1000 / dataset.framesPerSecond,
      toMs,
      objects,
      events: eventsOf(truth, dataset, manifest, clip),
      place: placeOf,
      familiarity: 1,
      tokens: {
        global: new Float32Array(visionDim),
        objects: new Float32Array(objects.length * visionDim),
        attributes: new Float32Array(objects.length * attributes.length),
      },
      stagesMs: {},
    };
  });
}

/** What a scene tells of the place: its modules, and whether it rains. @param names those of the bundle */
export function truePlace(
  modules: readonly string[],
  rain: boolean,
  names: readonly string[],
): Record<string, number> {
  return Object.fromEntries(
    names.map((name) => [name, Number(name === 'rain' ? rain : modules.includes(name))]),
  );
}

/**
 * The world's next second, as the objects of one scene: steps the world.
 * @param bornAt the clip in which each thing was first told, by id; what is new is added
 */
export function trueObjects(
  world: World,
  clip: number,
  bornAt: Map<number, number>,
  manifest: Pick<Manifest, 'geometry'>,
): SceneObject[] {
  return lookAtClip(world).flatMap((tracked): SceneObject[] => {
    const seen = tracked.looks[looksPerClip - 1];
    if (!seen) return [];
    const born = bornAt.get(seen.id) ?? clip;
    bornAt.set(seen.id, born);
    return [objectOf(seen, tracked, clip - born, manifest)];
  });
}

function objectOf(
  seen: Seen,
  { looks }: Tracked,
  ageClips: number,
  { geometry: { objectAttributes, lookFrames, framesPerSecond } }: Pick<Shape, 'geometry'>,
): SceneObject {
  const [x, y, width, height] = seen.box;
  const centreOf = ({ box }: Seen) => ({ x: box[0] + box[2] / 2, y: box[1] + box[3] / 2 });
  const centres = looks.map((it) => (it ? centreOf(it) : undefined));
  const now = centreOf(seen);
  const first = centres.findIndex((it) => it !== undefined);
  const then = centres[first] ?? now;
  const framesBetween = (lookFrames.at(-1) ?? 0) - (lookFrames[first] ?? 0);
  const seconds = framesBetween / framesPerSecond;
  const speed = (from: number, to: number): number => (seconds > 0 ? (to - from) / seconds : 0);
  return {
    track: seen.id,
    class: seen.class,
    classProbability: 1,
    box: { x, y, width, height },
    velocity: { x: speed(then.x, now.x), y: speed(then.y, now.y) },
    ageClips,
    mask: { size: [0, 0], counts: [] },
    predictedIou: 1,
    attributes: Object.fromEntries(
      objectAttributes.map((name) => [
        name,
        (seen.attributes as Readonly<Record<string, number>>)[name] ?? 0,
      ]),
    ),
    // A hole is a look at which it was not seen; `trackHistory` reads it so.
    looks: centres as { x: number; y: number }[],
  };
}

function eventsOf(
  { events }: RecordedTruth,
  dataset: Dataset,
  { labels }: Shape,
  clip: number,
): RecognisedEvent[] {
  return events.flatMap((event) => {
    if (Math.ceil(event.onsetS) - 1 !== clip) return [];
    const { label: text, onsetMs } = eventTime(event, dataset);
    const label = labels.findIndex((it) => it.text === text);
    if (label < 0) return [];
    return [{ label, onsetMs, probability: 1, actors: [event.actor], target: event.target }];
  });
}
