import { fileURLToPath } from 'node:url';
import { Observable } from 'rxjs';
import type { Clip, Explanation, Reasoning, Scene, Window } from '../types.js';
import { RequestDropped } from '../errors.js';
import { openBundle, type Bundle } from './bundle.js';
import { ModelChild, type ModelChildOptions, type RequestHeader } from './model-child.js';
import type { PromptOverrides } from './reasoner.js';
import { joinFrames, pictureOf } from './preprocess.js';
import { concatFloats, float32, floats, uint8, type Tensor, type Tensors } from './tensor.js';
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
  /** Longest time from a question to the end of its answer. */
  readonly askMs?: number;
  /** A camera's own prompts, where it has some. */
  readonly promptsOf?: (camera: string) => PromptOverrides | undefined;
  /** Clips of different cameras that the perceiver computes at once, and how long it may wait for them. */
  readonly perceiverBatch?: Pick<ModelChildOptions, 'batchMax' | 'batchWaitMs'>;
  readonly child?: Pick<
    ModelChildOptions,
    | 'threads'
    | 'device'
    | 'queueMax'
    | 'startMs'
    | 'backOffMs'
    | 'onRestart'
    | 'onLost'
    | 'onDuration'
    | 'onBatch'
  >;
}

export interface AskOptions {
  /** Of the whole answer. */
  readonly maxTokens?: number;
}

/** What every request to the reasoner says. */
type WindowHeader = RequestHeader<'score'>;

/** An answer is asked for so many tokens at a time: in between forecasts get their turn, and a question can be given up. */
const tokensPerPiece = 8;

/** The models as `watchCamera` sees them. */
export interface ModelPorts {
  readonly bundle: Bundle;
  readonly perceiver: ModelChild;
  readonly reasoner: ModelChild;
  /** @param epoch of the camera, where it is not that of these models */
  readonly perceive: (clip: Clip, epoch?: number) => Promise<Scene>;
  readonly score: (window: Window) => Promise<Reasoning>;
  /** The cheap head; rejects where the bundle has none. */
  readonly carry: (window: Window) => Promise<Reasoning>;
  readonly explain: (window: Window, reasoning: Reasoning) => Promise<Explanation>;
  /**
   * Pieces of the answer as they come; an empty question asks how the newest event came about. Unsubscribing cancels: no
   * further piece is asked for. Errors with `model_late` where the answer takes too long.
   */
  readonly ask: (window: Window, question: string, options?: AskOptions) => Observable<string>;
  /** Leaves no child behind. */
  readonly close: () => Promise<void>;
}

/** What the pipeline and the service for questions ask of the reasoner. */
export interface ReasonerPorts extends Pick<ModelPorts, 'score' | 'carry' | 'explain'> {
  /** Null: the bundle's language model answers no questions. */
  readonly ask: ModelPorts['ask'] | null;
}

/** `src/models/x.ts` and `dist/models/x.js` lie equally deep, so this finds the compiled entry from both. */
const entryOf = (name: string): string =>
  fileURLToPath(new URL(`../../dist/models/${name}.js`, import.meta.url));

/**
 * Checks the bundle, starts a perceiver and a reasoner, and waits until both are ready.
 *
 * @throws LookaheadError `bundle_invalid`, `device_unusable`, `model_lost`
 */
export async function createModelPorts(options: ModelPortsOptions): Promise<ModelPorts> {
  const { bundleDir, epoch = 0, budget = usualBudget } = options;
  const { perceiveMs = 10_000, reasonMs = 15_000, askMs = 60_000 } = options;
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

  /** A window is of its newest scene's. */
  const epochs = new WeakMap<Scene, number>();

  const perceive: ModelPorts['perceive'] = async (clip, ofCamera = epoch) => {
    const { camera, index, fromMs, toMs } = clip;
    const trackFloor = floors.of(camera, ofCamera, index);
    const picture = pictureOf(clip, bundle.manifest);
    const { header, tensors } = await perceiver.request(
      'perceive',
      { camera, epoch: ofCamera, clip: index, fromMs, toMs, picture, trackFloor },
      { frames: framesTensor(clip, bundle) },
      perceiveMs,
    );
    const shown = header.objects.map(({ track }) => track);
    floors.note(camera, ofCamera, index, shown);
    const { objects, events, faintEvents, place, familiarity, stagesMs } = header;
    const scene: Scene = {
      camera,
      clip: index,
      fromMs,
      toMs,
      objects,
      events,
      faintEvents,
      place,
      familiarity,
      tokens: {
        global: floats(tensors, 'global'),
        objects: floats(tensors, 'objects'),
        attributes: floats(tensors, 'attributes'),
      },
      stagesMs,
    };
    epochs.set(scene, ofCamera);
    return scene;
  };

  const windowOf = (window: Window): { header: WindowHeader; tensors: Tensors } => {
    const newest = window.at(-1);
    if (newest === undefined) throw new Error('A window without scenes cannot be reasoned about.');
    const { camera, clip } = newest;
    const { visionDim } = bundle.manifest.geometry;
    const scenes = window.map((scene) => ({
      clip: scene.clip,
      fromMs: scene.fromMs,
      toMs: scene.toMs,
      place: scene.place,
      familiarity: scene.familiarity,
      events: scene.events.map((event) => ({ ...event, actors: [...event.actors] })),
      objects: scene.objects.map((one) => ({
        track: one.track,
        class: one.class,
        classProbability: one.classProbability,
        box: one.box,
        velocity: one.velocity,
        attributes: one.attributes,
        looks: [...one.looks],
      })),
    }));
    const rowsOf = (name: 'global' | 'objects'): Tensor =>
      rows(
        window.map(({ tokens }) => tokens[name]),
        visionDim,
      );
    return {
      header: {
        ...{ camera, epoch: epochs.get(newest) ?? epoch, clip, scenes },
        prompts: options.promptsOf?.(camera) ?? {},
      },
      tensors: { global: rowsOf('global'), objects: rowsOf('objects') },
    };
  };

  const reasonBy =
    (kind: 'score' | 'carry') =>
    async (window: Window): Promise<Reasoning> => {
      const asked = windowOf(window);
      const { header } = await reasoner.request(kind, asked.header, asked.tensors, reasonMs);
      const { probabilities, rawProbabilities, basis, stagesMs } = header;
      return { probabilities, rawProbabilities, basis, stagesMs };
    };

  const explain = async (window: Window, reasoning: Reasoning): Promise<Explanation> => {
    const asked = windowOf(window);
    const probabilities = [...reasoning.probabilities];
    const { header } = await reasoner.request(
      'explain',
      { ...asked.header, probabilities, budget },
      asked.tensors,
      reasonMs,
    );
    const { justifications, steps, grounded, absentNamed, stagesMs } = header;
    return { justifications, steps, grounded, absentNamed, stagesMs };
  };

  let questions = 0;
  const ask: ModelPorts['ask'] = (window, question, { maxTokens = usualBudget.tokensMax } = {}) =>
    new Observable<string>((subscriber) => {
      // Several may ask about one camera: none replaces another.
      const lane = `ask ${questions++}`;
      const answer = async (): Promise<void> => {
        const { header, tensors } = windowOf(window);
        const dueMs = performance.now() + askMs;
        const said: number[] = [];
        for (let more = true; more && said.length < maxTokens && !subscriber.closed;) {
          if (performance.now() >= dueMs)
            throw new RequestDropped('late', `No answer within ${askMs} ms.`);
          const tokensMax = Math.min(tokensPerPiece, maxTokens - said.length);
          const piece = { ...header, question, said: [...said], tokensMax };
          const reply = await reasoner.request('ask', piece, tensors, reasonMs, lane);
          said.push(...reply.header.ids);
          more = reply.header.more;
          if (reply.header.text !== '') subscriber.next(reply.header.text);
        }
        subscriber.complete();
      };
      answer().catch((error: unknown) => subscriber.error(error));
    });

  const ports = { score: reasonBy('score'), carry: reasonBy('carry'), explain, ask };
  return { bundle, perceiver, reasoner, perceive, ...ports, close };
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
