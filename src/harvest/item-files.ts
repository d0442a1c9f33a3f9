/** A gathered window as the files that are kept of it. Pure: the video is encoded elsewhere. */
import type { Manifest } from '../models/manifest.js';
import { pictureOf } from '../models/preprocess.js';
import { isoTime } from '../operators/iso-time.js';
import type { Clip, RecognisedEvent, Scene } from '../types.js';
import type { Gathered } from './gather-windows.js';
import { itemFiles, itemName, itemSchema, type Item, type KeptScene } from './item-schema.js';

export interface ItemFacts {
  readonly manifest: Manifest;
  readonly privacyMasks: boolean;
  readonly keptAtMs: number;
}

export interface ItemFolder {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export function itemFolder(gathered: Gathered, video: Uint8Array, facts: ItemFacts): ItemFolder {
  const item = itemOf(gathered, facts);
  const scenes = gathered.scenes.map((scene, at) =>
    JSON.stringify(keptScene(scene, gathered.clips[at]!, facts.manifest)),
  );
  const text = (value: string): Buffer => Buffer.from(`${value}\n`);
  return {
    name: item.name,
    files: new Map([
      [itemFiles.video, video],
      [itemFiles.scenes, text(scenes.join('\n'))],
      [itemFiles.tokens, tokensOf(gathered.scenes.slice(0, gathered.windowClips))],
      [itemFiles.item, text(JSON.stringify(item, null, 1))],
    ]),
  };
}

function itemOf(
  { camera, why, forecast, outcome, clips, windowClips }: Gathered,
  { manifest, privacyMasks, keptAtMs }: ItemFacts,
): Item {
  const { geometry, preprocessing } = manifest;
  const { framesPerSecond, framesPerClip, horizonMs, lookFrames, visionDim } = geometry;
  const { widthPx, heightPx } = preprocessing;
  const [first, last] = [clips[0], clips.at(-1)];
  if (!first || !last) throw new TypeError('There is no window without clips.');
  return {
    schema: itemSchema,
    name: itemName(Date.parse(forecast.window.to), forecast.id),
    site: forecast.site,
    camera,
    why: [...why],
    keptAt: isoTime(keptAtMs),
    from: isoTime(first.fromMs),
    to: forecast.window.to,
    until: isoTime(last.toMs),
    clips: clips.length,
    windowClips,
    privacyMasks,
    forecast,
    outcome,
    geometry: {
      ...{ framesPerSecond, framesPerClip, horizonMs, lookFrames: [...lookFrames] },
      ...{ widthPx, heightPx, picture: { ...pictureOf(first, manifest) } },
    },
    tokens: { visionDim, attributes: [...geometry.attributes] },
  };
}

function keptScene(scene: Scene, { frames }: Clip, manifest: Manifest): KeptScene {
  const { fromMs, toMs, clip, familiarity, place } = scene;
  return {
    clip,
    from: isoTime(fromMs),
    to: isoTime(toMs),
    framesAtMs: frames.map(({ capturedAtMs }) => capturedAtMs),
    familiarity,
    place: { ...place },
    objects: scene.objects.map((object) => ({
      ...object,
      mask: { size: [...object.mask.size], counts: [...object.mask.counts] },
      attributes: { ...object.attributes },
      looks: object.looks.map((look) => ({ ...look })),
    })),
    events: scene.events.flatMap((event) => keptEvent(event, scene, manifest)),
  };
}

function keptEvent(
  { label, onsetMs, probability, actors, target: targetTrack }: RecognisedEvent,
  { fromMs, toMs }: Scene,
  { labels, eventThresholds }: Manifest,
): KeptScene['events'] {
  const known = labels[label];
  if (!known || known.type === 'nothing') return [];
  const { text, type, actor, target } = known;
  const onsetShare = Math.min(1, Math.max(0, (onsetMs - fromMs) / Math.max(1, toMs - fromMs)));
  const counts = probability >= (eventThresholds[label] ?? Infinity);
  const onset = isoTime(onsetMs);
  return [
    {
      ...{ label: text, type, actor, target, onset, onsetShare, probability, counts },
      ...{ actors: [...actors], targetTrack },
    },
  ];
}

function tokensOf(scenes: readonly Scene[]): Buffer {
  const parts = scenes.flatMap(({ tokens: { global, objects, attributes } }) => [
    ...[global, objects, attributes].map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  ]);
  return Buffer.concat(parts);
}
