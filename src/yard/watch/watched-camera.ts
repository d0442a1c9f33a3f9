/** One camera as the page knows it: what it shows, what may come next, and what has happened with the chance it had. */
import { idsHeight, idsWidth } from '../drawing/painter.js';
import { heightPx, widthPx } from '../world/camera.js';
import { yardLabels } from '../world/labels.js';
import type { YardEvent } from '../world/things.js';
import { BarOrder } from './bar-order.js';
import { BayesRounds } from './bayes-rounds.js';
import type { ToldChances } from './bayes-rounds.js';
import { framed } from './messages.js';
import type { Bar, CameraFacts, LoggedEvent, Told } from './messages.js';
import type { Scene } from './scene.js';

const loggedMax = 60;
/** A share of the chances that is too small to be told of what has no bar of its own. */
const restLeast = 0.005;

export interface WatchedCameraOptions {
  readonly index: number;
  readonly name: string;
  readonly rtspUrl: string;
  readonly isLive: boolean;
  readonly scene: Scene;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly tell: (told: Told) => void;
}

export class WatchedCamera {
  readonly facts: CameraFacts;
  readonly scene: Scene;
  readonly rounds: BayesRounds;
  /** The newest last. */
  readonly log: LoggedEvent[] = [];
  private readonly options: WatchedCameraOptions;
  private readonly order = new BarOrder();
  private bars: Told | null = null;

  constructor(options: WatchedCameraOptions) {
    const { scene, name, rtspUrl, isLive } = options;
    const { template, appearance } = scene.world.place;
    const { light, rain } = appearance;
    this.options = options;
    this.facts = { name, rtspUrl, template: template.name, light, rain, isLive };
    this.scene = scene;
    this.rounds = new BayesRounds(scene.world, (told) => this.tellChances(told));
    scene.onStep = (world, begun) => {
      const known = this.rounds.note(world, begun);
      if (begun.length === 0) return;
      const atMs = options.clock();
      void Promise.resolve(known).then((before) => this.logAll(begun, before, atMs));
    };
  }

  /** What a page that comes in the middle has missed. */
  get past(): readonly Told[] {
    return this.bars === null ? this.log : [...this.log, this.bars];
  }

  picture(withMasks: boolean): Buffer {
    const { scene, options } = this;
    const head = {
      kind: 'picture',
      camera: options.index,
      width: widthPx,
      height: heightPx,
    } as const;
    if (!withMasks) return framed(head, scene.picture());
    const { ids, objects } = scene.masks();
    const masks = { width: idsWidth, height: idsHeight, objects };
    return framed({ ...head, masks }, scene.picture(), ids);
  }

  /** At half the size. */
  thumbnail(): Buffer {
    const size = { width: widthPx / 2, height: heightPx / 2 };
    return framed(
      { kind: 'thumbnail', camera: this.options.index, ...size },
      halved(this.scene.picture()),
    );
  }

  private tellChances({ chances, futures }: ToldChances): void {
    const rows = this.order.arrange(chances);
    const bars: Bar[] = rows.map((label) => barOf(label, chances));
    const nothing = barOf(0, chances);
    const rest = 1 - nothing.chance - bars.reduce((sum, { chance }) => sum + chance, 0);
    if (rest > restLeast) bars.push({ text: 'anything else', actor: null, chance: rest });
    const { index, tell } = this.options;
    this.bars = { kind: 'chances', camera: index, bars: [...bars, nothing], futures };
    tell(this.bars);
  }

  private logAll(begun: readonly YardEvent[], before: ToldChances | null, atMs: number): void {
    for (const { label } of begun) {
      const chance = before?.chances[label] ?? null;
      const { text, actor } = barOf(label, []);
      const line: LoggedEvent = {
        ...{ kind: 'event', camera: this.options.index, atMs, text, actor, chance },
        isHit: before !== null && chance === Math.max(...before.chances),
      };
      this.log.push(line);
      if (this.log.length > loggedMax) this.log.shift();
      this.options.tell(line);
    }
  }
}

function barOf(label: number, chances: readonly number[]): Bar {
  const known = yardLabels[label];
  if (known === undefined) throw new RangeError(`There is no label ${label}.`);
  return { text: known.text, actor: known.actor, chance: chances[label] ?? 0 };
}

/** Every second pixel of every second row: a thumbnail is looked at for what moves. */
function halved(rgba: Buffer): Uint8Array {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, widthPx * heightPx);
  const small = new Uint32Array((widthPx / 2) * (heightPx / 2));
  let at = 0;
  for (let y = 0; y < heightPx; y += 2)
    for (let x = 0; x < widthPx; x += 2) small[at++] = pixels[y * widthPx + x]!;
  return new Uint8Array(small.buffer);
}
