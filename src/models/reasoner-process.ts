/** The reasoner: a child process that turns windows into distributions and texts. Started by `ModelChild`. */
import { oneByOne, runModelProcess } from './model-process.js';
import { Reasoner } from './reasoner.js';
import { floats } from './tensor.js';

await runModelProcess({
  role: 'reasoner',
  kind: 'reason',
  async open(bundle, options) {
    const reasoner = await Reasoner.open(bundle, options);
    const { visionDim, clipsPerWindow } = bundle.manifest.geometry;
    const scenes = Array.from({ length: clipsPerWindow }, (_, clip) => ({ clip, objectCount: 0 }));
    await reasoner.reason(
      {
        tokens: {
          scenes,
          global: new Float32Array(clipsPerWindow * visionDim),
          objects: new Float32Array(0),
          attributes: new Float32Array(0),
        },
        seen: [],
      },
      { tokensMax: 2, justifyMs: 1, explainMs: 1 },
    );
    return oneByOne(async ({ header, tensors }) => {
      const input = {
        tokens: {
          scenes: header.scenes.map(({ clip, objects }) => ({ clip, objectCount: objects.length })),
          global: floats(tensors, 'global'),
          objects: floats(tensors, 'objects'),
          attributes: floats(tensors, 'attributes'),
        },
        seen: header.scenes,
      };
      const reasoning = await reasoner.reason(input, header.budget);
      return {
        header: {
          kind: 'reasoning',
          id: header.id,
          probabilities: [...reasoning.probabilities],
          rawProbabilities: [...reasoning.rawProbabilities],
          justifications: [...reasoning.justifications],
          explanation: reasoning.explanation.map(({ text, evidence }) => ({
            text,
            evidence: { ...evidence, tracks: [...evidence.tracks] },
          })),
          stagesMs: reasoning.stagesMs,
        },
      };
    });
  },
});
