/** The perceiver: a child process that turns clips into scenes. Started by `ModelChild`. */
import type { Scene } from '../types.js';
import { runModelProcess, type Reply } from './model-process.js';
import { Perceiver, type PerceiverInput } from './perceiver.js';
import { float32 } from './tensor.js';
import type { WireMessage } from './wire.js';

await runModelProcess({
  role: 'perceiver',
  kinds: ['perceive'],
  async open(bundle, options) {
    const perceiver = await Perceiver.open(bundle, options);
    const { geometry, preprocessing } = bundle.manifest;
    const frameBytes = preprocessing.widthPx * preprocessing.heightPx * 3;
    const warmUp: PerceiverInput = {
      camera: 'warm-up',
      epoch: 0,
      clip: 0,
      fromMs: 0,
      toMs: 1000,
      picture: { x: 0, y: 0, width: preprocessing.widthPx, height: preprocessing.heightPx },
      trackFloor: 0,
      pixels: new Uint8Array(geometry.framesPerClip * frameBytes).fill(128),
    };
    await perceiver.scenes([warmUp]);

    const replyOf = (id: number, scene: Scene): Reply => {
      const rows = scene.objects.length;
      return {
        header: {
          kind: 'scene',
          id,
          objects: scene.objects.map((one) => ({
            ...one,
            mask: { size: [...one.mask.size], counts: [...one.mask.counts] },
            looks: [...one.looks],
          })),
          events: scene.events.map((event) => ({ ...event, actors: [...event.actors] })),
          faintEvents: (scene.faintEvents ?? []).map((one) => ({ ...one })),
          place: scene.place,
          familiarity: scene.familiarity,
          stagesMs: scene.stagesMs,
        },
        tensors: {
          global: float32([geometry.visionDim], scene.tokens.global),
          objects: float32([rows, geometry.visionDim], scene.tokens.objects),
          attributes: float32([rows, geometry.attributes.length], scene.tokens.attributes),
        },
      };
    };
    return async function* (batch) {
      const ids = batch.map(({ header }) => header.id);
      let index = 0;
      for await (const result of perceiver.perceive(batch.map(inputOf))) {
        const id = ids[index++] ?? 0;
        yield result.status === 'rejected'
          ? result
          : { status: 'fulfilled', value: replyOf(id, result.value) };
      }
    };
  },
});

/** A clip without its frames has none: it is refused for their size. */
function inputOf({ header, tensors }: WireMessage<'perceive'>): PerceiverInput {
  const pixels = tensors['frames']?.data;
  return { ...header, pixels: pixels instanceof Uint8Array ? pixels : new Uint8Array(0) };
}
