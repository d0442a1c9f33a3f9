/** The perceiver: a child process that turns clips into scenes. Started by `ModelChild`. */
import { runModelProcess } from './model-process.js';
import { Perceiver, type PerceiverInput } from './perceiver.js';
import { float32 } from './tensor.js';

await runModelProcess({
  role: 'perceiver',
  kind: 'perceive',
  async open(bundle, options) {
    const perceiver = await Perceiver.open(bundle, options);
    const { geometry, preprocessing } = bundle.manifest;
    const frameBytes = preprocessing.widthPx * preprocessing.heightPx * 3;
    await perceiver.perceive({
      camera: 'warm-up',
      epoch: 0,
      clip: 0,
      fromMs: 0,
      toMs: 1000,
      picture: { x: 0, y: 0, width: preprocessing.widthPx, height: preprocessing.heightPx },
      trackFloor: 0,
      pixels: new Uint8Array(geometry.framesPerClip * frameBytes).fill(128),
    });
    return async ({ header, tensors }) => {
      const pixels = tensors['frames']?.data;
      if (!(pixels instanceof Uint8Array)) throw new Error('A clip came without its frames.');
      const input: PerceiverInput = { ...header, pixels };
      const scene = await perceiver.perceive(input);
      const rows = scene.objects.length;
      return {
        header: {
          kind: 'scene',
          id: header.id,
          objects: scene.objects.map((one) => ({
            ...one,
            mask: { size: [...one.mask.size], counts: [...one.mask.counts] },
            looks: [...one.looks],
          })),
          events: scene.events.map((event) => ({ ...event, actors: [...event.actors] })),
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
  },
});
