import { fileURLToPath } from 'node:url';
import type { Clip, Scene, Window } from '../types.js';
import type { WholeReasoning as Reasoning } from './earlier-reasoner.js';
import { openBundle, type Bundle } from './bundle.js';
import { ModelChild, type ModelChildOptions } from './model-child.js';
import { joinFrames, pictureOf } from './preprocess.js';
import { concatFloats, float32, floats, uint8, type Tensor } from './tensor.js';
import { usualBudget, type TextBudget } from './text-budget.js';
import { TrackFloors } from './track-floors.js';

export interface ModelPortsOptions {
  readonly bundleDir: string;
  /** The one that messages carry; track ids are unique within it. 0 where none is given, as in a replay. */
  readonly epoch?: number;
  readonly budget?: TextBudget;
  /** Longest wait for a free perceiver, and then for its answer. */
  readonly perceiveMs?: number;
  readonly reasonMs?: number;
  /** Clips of different cameras that the perceiver computes at once, and how long it may wait for them. */
  readonly perceiverBatch?: Pick<ModelChildOptions, 'batchMax' | 'batchWaitMs'>;
  readonly child?: Pick<
    ModelChildOptions,
    | 'threads'
    | 'queueMax'
    | 'startMs'
    | 'backOffMs'
    | 'onRestart'
    | 'onLost'
    | 'onDuration'
    | 'onBatch'
  >;
}

/** The models as `watchCamera` sees them. */
export interface ModelPorts {
  readonly bundle: Bundle;
  readonly perceiver: ModelChild;
  readonly reasoner: ModelChild;
  readonly perceive: (clip: Clip) => Promise<Scene>;
  readonly reason: (window: Window) => Promise<Reasoning>;
  /** Leaves no child behind. */
  readonly close: () => Promise<void>;
}

/** `src/models/x.ts` and `dist/models/x.js` lie equally deep, so this finds the compiled entry from both. */
const entryOf = (name: string): string =>
  fileURLToPath(new URL(`../../dist/models/${name}.js`, import.meta.url));

/**
 * Checks the bundle, starts a perceiver and a reasoner, and waits until both are ready.
 *
 * @throws LookaheadError `bundle_invalid`, `model_lost`
 */
export async function createModelPorts(options: ModelPortsOptions): Promise<ModelPorts> {
  const { bundleDir, epoch = 0, budget = usualBudget } = options;
  const { perceiveMs = 10_000, reasonMs = 15_000 } = options;
  const bundle = await openBundle(bundleDir);
  const childOf = (
    role: ModelChildOptions['role'],
    batch: ModelPortsOptions['perceiverBatch'] = {},
  ): ModelChild =>
    new ModelChild({
      ...options.child,
      ...batch,
      role,
      entry: entryOf(`${role}-process`),
      bundleDir,
      bundleSha256: bundle.sha256,
    });
  const perceiver = childOf('perceiver', options.perceiverBatch);
  const reasoner = childOf('reasoner');
  const close = async (): Promise<void> => {
    await Promise.all([perceiver.close(), reasoner.close()]);
  };
  try {
    await Promise.all([perceiver.start(), reasoner.start()]);
  } catch (error) {
    await close();
    throw error;
  }
  const floors = new TrackFloors();

  const perceive = async (clip: Clip): Promise<Scene> => {
    const { camera, index, fromMs, toMs } = clip;
    const trackFloor = floors.of(camera, epoch, index);
    const picture = pictureOf(clip, bundle.manifest);
    const { header, tensors } = await perceiver.request(
      'perceive',
      { camera, epoch, clip: index, fromMs, toMs, picture, trackFloor },
      { frames: framesTensor(clip, bundle) },
      perceiveMs,
    );
    const shown = header.objects.map(({ track }) => track);
    floors.note(camera, epoch, index, shown);
    const { objects, events, place, familiarity, stagesMs } = header;
    return {
      camera,
      clip: index,
      fromMs,
      toMs,
      objects,
      events,
      place,
      familiarity,
      tokens: {
        global: floats(tensors, 'global'),
        objects: floats(tensors, 'objects'),
        attributes: floats(tensors, 'attributes'),
      },
      stagesMs,
    };
  };

  const reason = async (window: Window): Promise<Reasoning> => {
    const newest = window.at(-1);
    if (newest === undefined) throw new Error('A window without scenes cannot be reasoned about.');
    const { camera, clip } = newest;
    const scenes = window.map((scene) => ({
      clip: scene.clip,
      fromMs: scene.fromMs,
      toMs: scene.toMs,
      objects: scene.objects.map(({ track, class: name }) => ({ track, class: name })),
    }));
    const { visionDim, attributes } = bundle.manifest.geometry;
    const { header } = await reasoner.request(
      'reason',
      { camera, epoch, clip, scenes, budget },
      {
        global: rows(
          window.map(({ tokens }) => tokens.global),
          visionDim,
        ),
        objects: rows(
          window.map(({ tokens }) => tokens.objects),
          visionDim,
        ),
        attributes: rows(
          window.map(({ tokens }) => tokens.attributes),
          attributes.length,
        ),
      },
      reasonMs,
    );
    const { probabilities, rawProbabilities, justifications, explanation, stagesMs } = header;
    return { probabilities, rawProbabilities, justifications, explanation, stagesMs };
  };

  return { bundle, perceiver, reasoner, perceive, reason, close };
}

function framesTensor(clip: Clip, bundle: Bundle): Tensor {
  const { widthPx, heightPx } = bundle.manifest.preprocessing;
  return uint8([clip.frames.length, heightPx, widthPx, 3], joinFrames(clip.frames));
}

/** Several matrices of one width, one below the other. */
function rows(parts: readonly Float32Array[], width: number): Tensor {
  const data = concatFloats(parts);
  return float32([data.length / width, width], data);
}
