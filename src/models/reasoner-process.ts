/** The reasoner: a child process that turns windows into distributions, reasons and answers. Started by `ModelChild`. */
import { oneByOne, runModelProcess, type Reply } from './model-process.js';
import { Reasoner } from './reasoner.js';
import type { SeenWindow } from './seen-window.js';
import { floats } from './tensor.js';
import type { WireMessage } from './wire.js';

type RequestKind = 'score' | 'carry' | 'explain' | 'ask';

await runModelProcess<RequestKind>({
  role: 'reasoner',
  kinds: ['score', 'carry', 'explain', 'ask'],
  async open(bundle, options) {
    const reasoner = await Reasoner.open(bundle, options);
    const { visionDim, clipsPerWindow } = bundle.manifest.geometry;
    const warmUp = Array.from({ length: clipsPerWindow }, (_, clip) => ({
      clip,
      fromMs: clip * 1000,
      toMs: clip * 1000 + 875,
      place: {},
      familiarity: 1,
      events: [],
      objects: [],
      tokens: { global: new Float32Array(visionDim), objects: new Float32Array(0) },
    }));
    const reasoning = await reasoner.score(warmUp);
    await reasoner.explain(warmUp, reasoning, { tokensMax: 2, justifyMs: 1, explainMs: 1 });

    return oneByOne(async (request): Promise<Reply> => {
      const { header } = request;
      const window = windowOf(request, visionDim);
      const { id, prompts } = header;
      switch (header.kind) {
        case 'score':
        case 'carry': {
          const { probabilities, rawProbabilities, basis, stagesMs } =
            header.kind === 'score'
              ? await reasoner.score(window, prompts)
              : await reasoner.carry(window);
          const chances = {
            probabilities: [...probabilities],
            rawProbabilities: [...rawProbabilities],
          };
          return { header: { kind: 'reasoning', id, ...chances, basis, stagesMs } };
        }
        case 'explain': {
          const said = await reasoner.explain(window, header, header.budget, prompts);
          const steps = said.steps.map((step) => ({
            ...step,
            causes: [...step.causes],
            evidence: { ...step.evidence, tracks: [...step.evidence.tracks] },
          }));
          const justifications = [...said.justifications];
          return { header: { kind: 'explanation', id, ...said, justifications, steps } };
        }
        case 'ask': {
          const { camera, epoch, clip, question, said, tokensMax } = header;
          const conversation = `${camera} ${epoch} ${clip}`;
          const asked = { conversation, question, said, tokensMax };
          const { ids, text, more } = await reasoner.ask(window, asked, prompts);
          return { header: { kind: 'piece', id, ids: [...ids], text, more } };
        }
      }
    });
  },
});

/** The scenes with their own rows of the tensors. */
function windowOf({ header, tensors }: WireMessage<RequestKind>, visionDim: number): SeenWindow {
  const [global, objects] = [floats(tensors, 'global'), floats(tensors, 'objects')];
  let row = 0;
  return header.scenes.map((scene, index) => {
    const first = row;
    row += scene.objects.length;
    return {
      ...scene,
      tokens: {
        global: global.subarray(index * visionDim, (index + 1) * visionDim),
        objects: objects.subarray(first * visionDim, row * visionDim),
      },
    };
  });
}
