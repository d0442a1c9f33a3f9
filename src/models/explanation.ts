import type { EvidentStep as ExplanationStep } from './earlier-reasoner.js';

/** What was seen in one scene of a window. */
export interface SeenScene {
  readonly fromMs: number;
  readonly toMs: number;
  readonly objects: readonly { readonly track: number; readonly class: string }[];
}

/**
 * One step for each sentence. Its evidence is what it speaks of: the tracks of the classes that it names, from the
 * first to the last time they were seen in the window; a sentence that names none stands on the whole window.
 */
export function explanationSteps(text: string, seen: readonly SeenScene[]): ExplanationStep[] {
  const sentences = text.split(/(?<=[.!?…])\s+/).filter((sentence) => sentence !== '');
  return sentences.map((sentence) => {
    const words = new Set(sentence.toLowerCase().match(/[\p{L}\p{N}_-]+/gu));
    const named = seen
      .map((scene) => ({ ...scene, objects: scene.objects.filter((one) => words.has(one.class)) }))
      .filter(({ objects }) => objects.length > 0);
    const scenes = named.length > 0 ? named : seen;
    const tracks = new Set(named.flatMap(({ objects }) => objects.map(({ track }) => track)));
    return {
      text: sentence,
      evidence: {
        tracks: [...tracks].sort((a, b) => a - b),
        fromMs: scenes.at(0)?.fromMs ?? 0,
        toMs: scenes.at(-1)?.toMs ?? 0,
      },
    };
  });
}
