/** The masks of key frames, clip after clip of a camera: all that can be known from the clips before is not asked again. */
import {
  boxIou,
  filterMasks,
  mergeCrops,
  suppressWithinCrop,
  type CropMasks,
  type Mask,
} from './automatic-masks.js';
import { cropFrame, cropsOf, letterbox, viewOf } from './crops.js';
import { cellPx, frameChange } from './frame-change.js';
import type { Manifest } from './manifest.js';
import type { Rectangle } from './preprocess.js';
import {
  apartPx,
  changePoints,
  gridPartPoints,
  gridParts,
  gridPoints,
  otherPartPoints,
  type Point,
} from './prompt-points.js';
import { askPoints, type ImageEmbeddings, type SegmenterPicture } from './segmenter.js';
import type { Session } from './session.js';
import type { stopwatch } from './stopwatch.js';
import { uint8 } from './tensor.js';

/** What is kept of a camera's epoch between clips. */
export interface KeyFrameMemory {
  /** The key frame that was segmented last, and its masks. */
  readonly frame: Uint8Array;
  readonly masks: readonly Mask[];
  /** For how many clips a mask was only carried on, not found again; 0 for those that are not here. */
  readonly carriedClips: ReadonlyMap<Mask, number>;
  /** The part of the grid to be asked next. */
  readonly nextPart: number;
  /** Clips in a row that were given these masks without being segmented. */
  readonly reused: number;
}

export interface KeyFrame {
  /** rgb24, height x width x 3. */
  readonly frame: Uint8Array;
  /** The frame that an earlier moment of the same clip shows, for the first clip of a camera. */
  readonly before: Uint8Array;
  /** The camera's picture inside the letterbox, in pixels of the frame. */
  readonly picture: Rectangle;
  /** Where tracks should be now. */
  readonly expected: readonly Point[];
  /** No track moves or is missing. */
  readonly tracksAtRest: boolean;
}

/** How a key frame's masks are got. */
export type Plan =
  | { readonly how: 'reuse' }
  /** The segmenter is not asked: who measures what it costs has better masks. */
  | { readonly how: 'given'; readonly masks: readonly Mask[] }
  | {
      readonly how: 'ask';
      /** Of the grid; null: all of it. */
      readonly part: number | null;
      /** Points besides the grid. */
      readonly extra: readonly Point[];
      /** Masks of the last key frame that hold, as nothing has changed there. */
      readonly carried: readonly Mask[];
    };

/** So many clips in a row may pass without a look: what is wrong for longer would be wrong in a whole window. */
export const reusedMaxClips = 8;
/** More of the picture changed than things moving by are likely to: a cut, or the light. Nothing before it helps. */
const cutShareMin = 1 / 3;

/** Whether to look at all, and where. */
export function planKeyFrame(
  { frame, before, picture, expected, tracksAtRest }: KeyFrame,
  memory: KeyFrameMemory | undefined,
  {
    segmenter,
    geometry,
    preprocessing,
  }: Pick<Manifest, 'segmenter' | 'geometry' | 'preprocessing'>,
): Exclude<Plan, { how: 'given' }> {
  const change = frameChange(memory?.frame ?? before, frame, preprocessing);
  const isStill = memory !== undefined && change.isStill && tracksAtRest;
  if (isStill && memory.reused < reusedMaxClips) return { how: 'reuse' };
  // A still picture that is due for a look gets a thorough one, so that its masks depend on nothing before.
  const isWhole = memory === undefined || change.share > cutShareMin || isStill;
  const part = isWhole ? null : memory.nextPart;
  const turn = part === null ? [] : gridPartPoints(picture, segmenter, part);
  // Where the picture changed the whole grid is asked at once: fewer looks at the same thing give worse masks of it.
  const stepX = picture.width / segmenter.pointsPerRow;
  const stepY = picture.height / segmenter.pointsPerColumn;
  const changedAround = ([x, y]: Point): boolean =>
    !change.isStillIn({ x: x - stepX / 2, y: y - stepY / 2, width: stepX, height: stepY });
  const others = part === null ? [] : otherPartPoints(picture, segmenter, part);
  // At most one more batch.
  const known = [...expected, ...others.filter(changedAround)].slice(0, segmenter.pointsPerBatch);
  const changed = changePoints(
    change,
    segmenter.pointsPerBatch - known.length,
    [...known, ...turn],
    apartPx(picture, segmenter),
  );
  const cellWidth = preprocessing.widthPx / geometry.maskColumns;
  const cellHeight = preprocessing.heightPx / geometry.maskRows;
  const holds = (mask: Mask): boolean =>
    (memory?.carriedClips.get(mask) ?? 0) < reusedMaxClips &&
    change.isStillIn({
      x: mask.box.left * cellWidth - cellPx / 2,
      y: mask.box.top * cellHeight - cellPx / 2,
      width: (mask.box.right - mask.box.left) * cellWidth + cellPx,
      height: (mask.box.bottom - mask.box.top) * cellHeight + cellPx,
    });
  const carried = part === null ? [] : (memory?.masks ?? []).filter(holds);
  return { how: 'ask', part, extra: [...known, ...changed], carried };
}

/** What the next clip may build on. */
export function rememberKeyFrame(
  plan: Plan,
  frame: Uint8Array,
  masks: readonly Mask[],
  memory: KeyFrameMemory | undefined,
  isFoundAgain: (mask: Mask) => boolean,
): KeyFrameMemory {
  switch (plan.how) {
    case 'reuse':
      if (memory === undefined) throw new Error('There are no masks to be reused.');
      return { ...memory, reused: memory.reused + 1 };
    case 'given':
      return { frame: frame.slice(), masks, carriedClips: new Map(), nextPart: 0, reused: 0 };
    case 'ask':
      // A copy: the frame is a view of a clip's bytes, which are not ours to keep.
      return {
        frame: frame.slice(),
        masks,
        carriedClips: new Map(
          plan.carried
            .filter((mask) => masks.includes(mask) && !isFoundAgain(mask))
            .map((mask) => [
              mask,
              (memory?.carriedClips.get(mask) ?? 0) + 1 + (memory?.reused ?? 0),
            ]),
        ),
        nextPart: plan.part === null ? 0 : (plan.part + 1) % gridParts,
        reused: 0,
      };
  }
}

/** Carries plans out. The encoder is run by the caller, which can do so for several cameras at once. */
export class KeyFrameMasks {
  readonly #decoder: Session;
  readonly #manifest: Manifest;

  constructor(decoder: Session, manifest: Manifest) {
    this.#decoder = decoder;
    this.#manifest = manifest;
  }

  /** What the image encoder has to see for a plan: nothing, the frame, or its crops too. */
  pictures({ frame, picture }: KeyFrame, plan: Plan): SegmenterPicture[] {
    if (plan.how !== 'ask') return [];
    const { segmenter, preprocessing } = this.#manifest;
    const dims = [1, preprocessing.heightPx, preprocessing.widthPx, 3];
    return cropsOf(picture, segmenter).map(({ layer, box }) => {
      if (layer === 0) return { image: uint8(dims, frame), picture };
      const size = { widthPx: box.width, heightPx: box.height };
      return {
        image: uint8(dims, cropFrame(frame, preprocessing, box)),
        picture: letterbox(size, preprocessing),
      };
    });
  }

  /**
   * The masks of a clip's key frame, and what to pass with the next clip. Stages: `segmenterReused`, which is there only
   * where the last masks were taken, or `segmenterDecoder` and `segmenterSelection`.
   *
   * @param embeddings of `pictures`, in their order
   */
  async find(
    keyFrame: KeyFrame,
    plan: Plan,
    embeddings: readonly ImageEmbeddings[],
    memory: KeyFrameMemory | undefined,
    watch: ReturnType<typeof stopwatch>,
  ): Promise<{ readonly masks: readonly Mask[]; readonly memory: KeyFrameMemory }> {
    if (plan.how === 'reuse') {
      const next = rememberKeyFrame(plan, keyFrame.frame, [], memory, () => false);
      watch.lap('segmenterReused');
      return { masks: next.masks, memory: next };
    }
    if (plan.how === 'given') {
      const { masks } = plan;
      watch.lap('segmenterGiven');
      return { masks, memory: rememberKeyFrame(plan, keyFrame.frame, masks, memory, () => true) };
    }
    const found = await this.#ask(keyFrame.picture, plan, embeddings, watch);
    const { segmenter, geometry } = this.#manifest;
    const masks = mergeCrops(found, geometry.maskRows, geometry.maskColumns, segmenter);
    // What was found again, if less well than it was before, is not merely carried on.
    const isFoundAgain = (mask: Mask): boolean =>
      found.some(({ fresh }) =>
        fresh.some(({ box }) => boxIou(box, mask.box) > segmenter.boxNmsThresh),
      );
    watch.lap('segmenterSelection');
    return { masks, memory: rememberKeyFrame(plan, keyFrame.frame, masks, memory, isFoundAgain) };
  }

  async #ask(
    picture: Rectangle,
    { part, extra, carried }: Extract<Plan, { how: 'ask' }>,
    embeddings: readonly ImageEmbeddings[],
    watch: ReturnType<typeof stopwatch>,
  ): Promise<(CropMasks & { readonly fresh: readonly Mask[] })[]> {
    const { segmenter, geometry, preprocessing } = this.#manifest;
    const { maskRows, maskColumns } = geometry;
    const found: (CropMasks & { readonly fresh: readonly Mask[] })[] = [];
    for (const [index, { layer, box }] of cropsOf(picture, segmenter).entries()) {
      const own = embeddings[index];
      if (own === undefined) throw new Error(`Crop ${index} of a key frame was not encoded.`);
      const isWhole = layer === 0;
      const size = { widthPx: box.width, heightPx: box.height };
      const area = isWhole ? picture : letterbox(size, preprocessing);
      const grid = gridOfLayer(segmenter, layer);
      const points = part === null ? gridPoints(area, grid) : gridPartPoints(area, grid, part);
      const view = isWhole ? undefined : viewOf(box, picture, preprocessing, geometry);
      const fresh: Mask[] = [];
      // What is expected or has changed is asked for in the whole picture only: crops are for what is small and still.
      const asked = isWhole ? [...points, ...extra] : points;
      await askPoints(this.#decoder, own, asked, this.#manifest, (logits, ious) => {
        watch.lap('segmenterDecoder');
        fresh.push(...filterMasks(logits, ious, maskRows, maskColumns, segmenter, view));
        watch.lap('segmenterSelection');
      });
      const masks = suppressWithinCrop(isWhole ? [...fresh, ...carried] : fresh, segmenter);
      found.push({ masks, fresh, area: box.width * box.height });
    }
    return found;
  }
}

/** Deeper layers may ask fewer points a crop, since each crop shows less. */
function gridOfLayer(
  { pointsPerRow, pointsPerColumn, cropNPointsDownscaleFactor }: Manifest['segmenter'],
  layer: number,
): Pick<Manifest['segmenter'], 'pointsPerRow' | 'pointsPerColumn'> {
  const shrink = cropNPointsDownscaleFactor ** layer;
  return {
    pointsPerRow: Math.floor(pointsPerRow / shrink),
    pointsPerColumn: Math.floor(pointsPerColumn / shrink),
  };
}
