/** A kept window as one scene of the yard's schema (docs/yard-data.md), what was recognised in place of what is true. Pure. */
import { LookaheadError } from '../errors.js';
import { decodeRle } from '../models/rle.js';
import { noTotals } from '../yard/data/dataset-file.js';
import {
  framesPerClip,
  framesPerSecond,
  futuresCount,
  horizonMs,
} from '../yard/data/film-scene.js';
import type { ClipLine, EventLine, SceneFile, Totals, WindowLine } from '../yard/data/schema.js';
import { attributes } from '../yard/truth/look.js';
import { yardClasses, yardLabels, type YardClass } from '../yard/world/labels.js';
import { modules } from '../yard/world/templates.js';
import type { Item, KeptScene } from './item-schema.js';

export interface RecognisedScene {
  readonly scene: SceneFile;
  readonly clips: readonly ClipLine[];
  readonly events: readonly EventLine[];
  readonly windows: readonly WindowLine[];
  /** uint8 [clips][90][160]: index + 1 of the object whose mask covers each pixel of the key frame. */
  readonly ids: Uint8Array;
}

const idColumns = 160;
const idRows = 90;
const clipS = framesPerClip / framesPerSecond;
const horizonS = horizonMs / 1000;
/** Onsets closer than this cannot be told apart; the more probable event then counts as the first, as for outcomes. */
const tieS = 0.1;

/** @throws LookaheadError harvest_unusable where the window is of a bundle that the schema has no words for */
export function recognisedScene(
  index: number,
  item: Item,
  scenes: readonly KeptScene[],
): RecognisedScene {
  checkGeometry(item);
  const events = eventsOf(item, scenes);
  const lines = events.map(({ line }) => line);
  const clips = scenes.map((scene, clip) => clipLine(item, scene, clip));
  const windows = scenes
    .slice(0, item.windowClips)
    .map((_, clip): WindowLine => windowLine(clip, events));
  return {
    scene: sceneFile(index, item, scenes, totalsOf(clips, lines, windows)),
    ...{ clips, events: lines, windows, ids: idsOf(item, scenes) },
  };
}

function checkGeometry({ name, geometry }: Item): void {
  const own = { framesPerSecond, framesPerClip, horizonMs };
  for (const key of ['framesPerSecond', 'framesPerClip', 'horizonMs'] as const)
    if (geometry[key] !== own[key])
      throw foreign(name, `${key} is ${geometry[key]}, that of the yard ${own[key]}`);
}

function foreign(name: string, what: string): LookaheadError {
  return new LookaheadError(
    'harvest_unusable',
    `${name} cannot be told in the yard's schema: ${what}.`,
    'Only windows of a bundle with the classes, labels and times of the yard can be exported; leave others out with --camera or --since.',
  );
}

interface TimedEvent {
  readonly line: EventLine;
  readonly probability: number;
}

/** Those that are certain enough to decide outcomes, oldest first. */
function eventsOf({ name }: Item, scenes: readonly KeptScene[]): TimedEvent[] {
  // Who did it is not always known; an id that nothing else has says so.
  const nobody = 1 + Math.max(0, ...scenes.flatMap((s) => s.objects.map(({ track }) => track)));
  return scenes
    .flatMap((scene, clip) =>
      scene.events
        .filter(({ counts }) => counts)
        .map((event) => {
          const label = yardLabels.findIndex(({ text }) => text === event.label);
          if (label < 1) throw foreign(name, `it has the label ${JSON.stringify(event.label)}`);
          const [actor = nobody] = event.actors;
          const { probability, targetTrack: target } = event;
          return { label, actor, target, probability, onsetS: onsetS(clip, event.onsetShare) };
        }),
    )
    .sort((a, b) => a.onsetS - b.onsetS)
    .map(({ probability, ...event }, id) => ({ line: { id, ...event, because: [] }, probability }));
}

/** A clip's frames show its last 7/8 s: as training reads it back. */
function onsetS(clip: number, share: number): number {
  return clip * clipS + (1 + share * (framesPerClip - 1)) / framesPerSecond;
}

function clipLine({ name }: Item, { objects }: KeptScene, clip: number): ClipLine {
  return {
    clip,
    endS: (clip + 1) * clipS,
    objects: objects.map((object) => ({
      id: object.track,
      class: yardClass(name, object.class),
      box: boxOf(object.box),
      firstBox: null,
      attributes: Object.fromEntries(
        attributes.flatMap((attribute) => {
          const value = rounded(Math.min(1, Math.max(-1, object.attributes[attribute] ?? 0)), 3);
          return value === 0 ? [] : [[attribute, value]];
        }),
      ),
      zone: null,
    })),
    stateBits: {},
  };
}

function yardClass(name: string, given: string): YardClass {
  const known = yardClasses.find((it) => it === given);
  if (known === undefined || known === 'background')
    throw foreign(name, `it has the class ${JSON.stringify(given)}`);
  return known;
}

type Box = KeptScene['objects'][number]['box'];

function boxOf({ x, y, width, height }: Box): ClipLine['objects'][number]['box'] {
  const share = (value: number): number => rounded(Math.min(1, Math.max(0, value)), 5);
  return [share(x), share(y), share(width), share(height)];
}

/** The counts say that all futures were what was recognised. */
function windowLine(clip: number, events: readonly TimedEvent[]): WindowLine {
  const endS = (clip + 1) * clipS;
  const later = events.filter(({ line }) => line.onsetS > endS && line.onsetS <= endS + horizonS);
  const first = firstOf(later);
  const within = [...new Set(later.map(({ line }) => line.label))].sort((a, b) => a - b);
  const next = first?.line.label ?? 0;
  return {
    ...{ clip, endS, next, nextOnsetS: first?.line.onsetS ?? null, within },
    last: events.findLast(({ line }) => line.onsetS <= endS)?.line.label ?? 0,
    futures: yardLabels.map((_, label) => (label === next ? futuresCount : 0)),
    futuresWithin: yardLabels.map((_, label) => {
      const came = label === 0 ? within.length === 0 : within.includes(label);
      return came ? futuresCount : 0;
    }),
    ...{ reasons: [], tasks: [] },
  };
}

function firstOf(events: readonly TimedEvent[]): TimedEvent | undefined {
  const earliestS = events[0]?.line.onsetS ?? 0;
  return events
    .filter(({ line }) => line.onsetS - earliestS < tieS)
    .reduce<TimedEvent | undefined>(
      (best, event) => (best && best.probability >= event.probability ? best : event),
      undefined,
    );
}

function sceneFile(
  scene: number,
  item: Item,
  scenes: readonly KeptScene[],
  totals: Totals,
): SceneFile {
  const { name, camera, why, from, forecast, outcome, privacyMasks } = item;
  const isThere = (fact: string): boolean => {
    const chances = scenes.slice(0, item.windowClips).map(({ place }) => place[fact] ?? 0);
    return chances.reduce((sum, chance) => sum + chance, 0) / chances.length >= 0.5;
  };
  return {
    scene,
    seed: 0,
    template: modules.filter(isThere).join('+') || 'none',
    rain: isThere('rain'),
    zones: {},
    totals,
    recognised: {
      ...{ camera, item: name, why, from, forecast: forecast.id, privacyMasks },
      verdict: outcome.verdict,
      observed: outcome.observed,
      logScore: outcome.logScore,
      bundle: forecast.bundle,
    },
  };
}

function totalsOf(
  clips: readonly ClipLine[],
  events: readonly EventLine[],
  windows: readonly WindowLine[],
): Totals {
  const sum = (of: (window: WindowLine) => readonly number[]): number[] =>
    yardLabels.map((_, label) =>
      windows.reduce((all, window) => all + (of(window)[label] ?? 0), 0),
    );
  return {
    ...noTotals(),
    ...{ clips: clips.length, events: events.length, windows: windows.length },
    futures: sum(({ futures }) => futures),
    futuresWithin: sum(({ futuresWithin }) => futuresWithin),
    next: yardLabels.map((_, label) => windows.filter(({ next }) => next === label).length),
  };
}

/** Each pixel gets the cell that its centre lies in; where masks overlap, that of the best one. */
function idsOf({ geometry }: Item, scenes: readonly KeptScene[]): Uint8Array {
  const { widthPx, heightPx, picture } = geometry;
  const ids = new Uint8Array(scenes.length * idRows * idColumns);
  scenes.forEach(({ objects }, clip) => {
    const worstFirst = objects
      .map(({ mask, predictedIou }, index) => ({ mask, predictedIou, index }))
      .sort((a, b) => a.predictedIou - b.predictedIou);
    for (const { mask, index } of worstFirst) {
      const cells = decodeRle(mask);
      const [rows, columns] = mask.size;
      for (let y = 0; y < idRows; y++) {
        const row = Math.floor(
          ((picture.y + ((y + 0.5) / idRows) * picture.height) / heightPx) * rows,
        );
        for (let x = 0; x < idColumns; x++) {
          const column = Math.floor(
            ((picture.x + ((x + 0.5) / idColumns) * picture.width) / widthPx) * columns,
          );
          if (cells[row * columns + column] === 1)
            ids[(clip * idRows + y) * idColumns + x] = index + 1;
        }
      }
    }
  });
  return ids;
}

function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
