/**
 * What perception's scenes are worth against the yard's truth, scene by scene; the definitions stand in docs/yard-data.md.
 * Everything is read off `Scene` objects, as the rest of the pipeline gets them.
 */
import { decodeRle } from '../../models/rle.js';
import type { Scene, SceneObject } from '../../types.js';
import type { RecordedTruth } from '../data/read-recording.js';
import type { ClipLine, Dataset } from '../data/schema.js';
import { averagePrecision, type JudgedMask } from './average-precision.js';
import { matchIdentities, type ClipOfTracks } from './identities.js';
import { overlapOf, trueMasks } from './mask-overlap.js';
import { matchEvents } from './match-events.js';
import { matchMasks, type Picture } from './match-masks.js';
import type { PerceptionMeasure } from './perception-goals.js';
import { idsOf, matchIouMin, trueEvents, visibleMin } from './recorded-truth.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';

type Measures = Readonly<Record<string, Measure | null>>;

/** Where the figures come from: what is short, and of what. Null: there was no case. */
export interface PerceptionDetail {
  readonly scenes: number;
  /** Clips, each with one key frame. */
  readonly pictures: number;
  /** Sightings of things that count. */
  readonly things: number;
  readonly recall: Measure | null;
  /** Things of which no cell of the masks' grid is half covered: no mask can show them. */
  readonly tooSmall: Measure | null;
  /** A picture. */
  readonly spuriousMasks: Measure | null;
  readonly ignoredMasks: Measure | null;
  /** A scene. */
  readonly idSwitches: Measure | null;
  readonly classes: Readonly<
    Record<
      string,
      { readonly things: number } & Readonly<
        Record<'recall' | 'maskIou' | 'ap50' | 'classAccuracy', Measure | null>
      >
    >
  >;
  /** Found things whose class is wrong, most frequent first. */
  readonly confusions: readonly {
    readonly truth: string;
    readonly said: string;
    readonly count: number;
  }[];
  readonly events: Readonly<
    Record<
      string,
      { readonly truths: number; readonly found: number } & Readonly<
        Record<'f1' | 'precision' | 'recall', Measure | null>
      >
    >
  >;
  /** Of found things; `whenShown`: of those that have it. */
  readonly attributes: Readonly<
    Record<
      string,
      { readonly shown: number } & Readonly<Record<'accuracy' | 'whenShown', Measure | null>>
    >
  >;
  readonly place: Measures;
  /** A clip, by stage. */
  readonly stagesCpuMs: Measures;
}

type OfScenes = Exclude<PerceptionMeasure, 'symbolicSkill'>;

/** All classes together, in average precision. */
const anyClass = '';

/** How far a told attribute may be off; half a step where it has steps, a quarter where it is a share. */
const attributeSlack: Readonly<Record<string, number>> = { open: 0.25, lean: 0.25, pallets: 1 / 6 };
const usualSlack = 0.5;

/** A thing that counts, and what was made of it. */
interface Sighting {
  readonly thing: ClipLine['objects'][number];
  readonly isTooSmall: boolean;
  readonly iou: number;
  /** Whose mask overlaps it most. */
  readonly object: SceneObject | null;
}

export class PerceptionSums {
  private readonly dataset: Dataset;
  private readonly sums: SceneSums;
  private readonly masks = new Map<string, JudgedMask[]>();
  private readonly truths = new Map<string, Map<number, number>>();
  private readonly confusions = new Map<string, number>();
  private readonly names = { events: new Set<string>(), place: new Set<string>() };
  private readonly attributes = new Set<string>();
  private readonly stages = new Set<string>();

  constructor(dataset: Dataset, options: BootstrapOptions = {}) {
    this.dataset = dataset;
    this.sums = new SceneSums(options);
  }

  /**
   * @param scenes one for each clip that was perceived, in order; their stages were timed by CPU
   * @param labels words of the bundle's labels, which events name by index
   */
  add(truth: RecordedTruth, scenes: readonly Scene[], labels: readonly string[]): void {
    const add = (column: string, value: number): void =>
      this.sums.add(truth.scene.scene, column, value);
    add('scenes', 1);
    const clips: ClipOfTracks[] = [];
    for (const scene of scenes) {
      const clip = truth.clips[scene.clip];
      if (!clip) throw new RangeError(`The truth has no clip ${String(scene.clip)}.`);
      add('pictures', 1);
      clips.push(this.addPicture(truth, clip, scene));
      this.addPlace(truth, scene, add);
      for (const [stage, ms] of Object.entries(scene.stagesMs)) {
        this.stages.add(stage);
        add(`stage ${stage}`, ms);
      }
    }
    const { kept, things, found, switches } = matchIdentities(clips);
    add('idf1 up', 2 * kept);
    add('idf1 down', things + found);
    add('switches', switches);

    const recognised = scenes.flatMap(({ events }) =>
      events.map(({ label, onsetMs }) => ({ label: labels[label] ?? '', onsetMs })),
    );
    for (const [label, counts] of matchEvents(trueEvents(truth, this.dataset), recognised)) {
      this.names.events.add(label);
      for (const name of ['', ` ${label}`]) {
        add(`events${name} up`, 2 * counts.hits);
        add(`events${name} hits`, counts.hits);
        add(`events${name} truths`, counts.truths);
        add(`events${name} found`, counts.found);
        add(`events${name} down`, counts.truths + counts.found);
      }
    }
  }

  /** @returns null for what could not be measured, for want of a case */
  measures(): Readonly<Record<OfScenes, Measure | null>> {
    return {
      maskIou: this.sums.ratio('iou', 'things'),
      ap50: this.ap50(anyClass),
      idf1: this.sums.ratio('idf1 up', 'idf1 down'),
      classAccuracy: this.sums.ratio('right', 'found'),
      eventF1: this.sums.ratio('events up', 'events down'),
      backboneCpuMs: this.cpuMs((stage) => stage === 'backbone'),
      // Encoder, points, decoder, selection of masks.
      segmenterCpuMs: this.cpuMs((stage) => stage.startsWith('segmenter')),
    };
  }

  detail(): PerceptionDetail {
    const { sums } = this;
    const classes = this.dataset.classes.filter((name) => sums.total(`things ${name}`) > 0);
    return {
      scenes: sums.total('scenes'),
      pictures: sums.total('pictures'),
      things: sums.total('things'),
      recall: sums.ratio('found', 'things'),
      tooSmall: sums.ratio('too small', 'things'),
      spuriousMasks: sums.ratio('spurious', 'pictures'),
      ignoredMasks: sums.ratio('ignored', 'pictures'),
      idSwitches: sums.ratio('switches', 'scenes'),
      classes: fromNames(classes, (name) => ({
        things: sums.total(`things ${name}`),
        recall: sums.ratio(`found ${name}`, `things ${name}`),
        maskIou: sums.ratio(`iou ${name}`, `things ${name}`),
        ap50: this.ap50(name),
        classAccuracy: sums.ratio(`right ${name}`, `found ${name}`),
      })),
      confusions: [...this.confusions]
        .map(([pair, count]) => {
          const [truth = '', said = ''] = pair.split('\n');
          return { truth, said, count };
        })
        .sort((a, b) => b.count - a.count),
      events: fromNames([...this.names.events].sort(), (label) => ({
        truths: sums.total(`events ${label} truths`),
        found: sums.total(`events ${label} found`),
        f1: sums.ratio(`events ${label} up`, `events ${label} down`),
        precision: sums.ratio(`events ${label} hits`, `events ${label} found`),
        recall: sums.ratio(`events ${label} hits`, `events ${label} truths`),
      })),
      attributes: fromNames([...this.attributes], (name) => ({
        shown: sums.total(`attribute ${name} shown`),
        accuracy: sums.ratio(`attribute ${name} right`, `attribute ${name} told`),
        whenShown: sums.ratio(`attribute ${name} right shown`, `attribute ${name} shown`),
      })),
      place: fromNames([...this.names.place], (name) =>
        sums.ratio(`place ${name} right`, `place ${name} told`),
      ),
      stagesCpuMs: fromNames([...this.stages], (name) => this.cpuMs((stage) => stage === name)),
    };
  }

  /** @returns what counts for identities */
  private addPicture(truth: RecordedTruth, clip: ClipLine, scene: Scene): ClipOfTracks {
    const { sums } = this;
    const at = truth.scene.scene;
    const { objects } = scene;
    const size = objects[0]?.mask.size ?? [0, 0];
    // Without a mask there is no grid, and nothing that a thing could be compared with.
    const cells =
      objects.length === 0 ? [] : trueMasks(idsOf(truth, clip.clip), clip.objects.length, size);
    const picture: Picture = {
      found: objects.map((object) => ({ class: object.class, score: scoreOf(object) })),
      things: clip.objects.map((thing) => ({
        class: thing.class,
        counts: (thing.visible ?? 0) >= visibleMin,
      })),
      overlaps: objects.map(({ mask }) => {
        const own = decodeRle(mask);
        return cells.map((true_) => overlapOf(own, true_));
      }),
    };
    clip.objects.forEach((thing, index) => {
      if (picture.things[index]?.counts !== true) return;
      const ious = picture.overlaps.map((row) => row[index]!.iou);
      const iou = Math.max(0, ...ious);
      const object = iou > 0 ? (objects[ious.indexOf(iou)] ?? null) : null;
      const isTooSmall = cells[index]?.every((cell) => cell === 0) ?? false;
      this.addSighting(at, { thing, isTooSmall, iou, object });
    });

    const fates = matchMasks(picture);
    this.judge(at, anyClass, picture, fates);
    for (const fate of fates) {
      if (fate === 'spurious') sums.add(at, 'spurious', 1);
      if (fate === 'ignored') sums.add(at, 'ignored', 1);
    }
    const present = new Set([...picture.found, ...picture.things].map((one) => one.class));
    for (const name of present) this.judge(at, name, picture, matchMasks(picture, name));

    const boxed = (thing: Sighting['thing']) => {
      const [x, y, width, height] = thing.box;
      return { id: thing.id, box: { x, y, width, height } };
    };
    return {
      things: clip.objects.filter((_, index) => picture.things[index]!.counts).map(boxed),
      found: objects
        .filter((_, index) => fates[index] !== 'ignored')
        .map(({ track, box }) => ({ track, box })),
    };
  }

  private addSighting(scene: number, { thing, isTooSmall, iou, object }: Sighting): void {
    const add = (column: string, value: number): void => {
      this.sums.add(scene, column, value);
      this.sums.add(scene, `${column} ${thing.class}`, value);
    };
    add('things', 1);
    add('iou', iou);
    if (isTooSmall) add('too small', 1);
    if (!object || iou < matchIouMin) return;
    const isRight = object.class === thing.class;
    add('found', 1);
    add('right', Number(isRight));
    if (!isRight) {
      const pair = `${thing.class}\n${object.class}`;
      this.confusions.set(pair, (this.confusions.get(pair) ?? 0) + 1);
    }
    this.addAttributes(scene, thing, object);
  }

  private addAttributes(
    scene: number,
    thing: Sighting['thing'],
    { attributes }: SceneObject,
  ): void {
    const shown: Readonly<Record<string, number>> = thing.attributes;
    for (const [name, told] of Object.entries(attributes)) {
      this.attributes.add(name);
      const truth = shown[name] ?? 0;
      const isRight = Math.abs(told - truth) < (attributeSlack[name] ?? usualSlack);
      this.sums.add(scene, `attribute ${name} told`, 1);
      this.sums.add(scene, `attribute ${name} right`, Number(isRight));
      if (truth === 0) continue;
      this.sums.add(scene, `attribute ${name} shown`, 1);
      this.sums.add(scene, `attribute ${name} right shown`, Number(isRight));
    }
  }

  /** @param only as `matchMasks` was told: masks of other classes are not this class's business */
  private judge(
    scene: number,
    only: string,
    { found, things }: Picture,
    fates: ReturnType<typeof matchMasks>,
  ): void {
    const isAsked = (name: string): boolean => only === anyClass || name === only;
    const truths = getOr(this.truths, only, () => new Map<number, number>());
    const count = things.filter((thing) => thing.counts && isAsked(thing.class)).length;
    truths.set(scene, (truths.get(scene) ?? 0) + count);
    const masks = getOr(this.masks, only, (): JudgedMask[] => []);
    fates.forEach((fate, index) => {
      const mask = found[index]!;
      if (fate === 'ignored' || !isAsked(mask.class)) return;
      masks.push({ scene, score: mask.score, isRight: fate !== 'spurious' });
    });
  }

  private ap50(only: string): Measure | null {
    const masks = [...(this.masks.get(only) ?? [])].sort((a, b) => b.score - a.score);
    const truths = this.truths.get(only) ?? new Map<number, number>();
    return this.sums.measureDrawn((timesOf) => averagePrecision(masks, truths, timesOf));
  }

  private addPlace(
    { scene: { template, rain } }: RecordedTruth,
    { place }: Scene,
    add: (column: string, value: number) => void,
  ): void {
    const modules = template.split('+');
    for (const [name, chance] of Object.entries(place)) {
      this.names.place.add(name);
      const isTrue = name === 'rain' ? rain : modules.includes(name);
      add(`place ${name} told`, 1);
      add(`place ${name} right`, Number(chance >= 0.5 === isTrue));
    }
  }

  private cpuMs(isAsked: (stage: string) => boolean): Measure | null {
    const stages = [...this.stages].filter(isAsked);
    if (stages.length === 0) return null;
    return this.sums.measure(
      (sum) => stages.reduce((ms, stage) => ms + sum(`stage ${stage}`), 0) / sum('pictures'),
    );
  }
}

function scoreOf({ predictedIou, classProbability }: SceneObject): number {
  return predictedIou * classProbability;
}

function fromNames<Value>(
  names: readonly string[],
  of: (name: string) => Value,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(names.map((name) => [name, of(name)]));
}

function getOr<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
