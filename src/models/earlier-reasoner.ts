/** The reasoner still answers all at once; this hands its answer on in the pipeline's words. */
import { EMPTY, type Observable } from 'rxjs';
import type { Explanation, Ports, Reasoning, Window } from '../types.js';

/** All that it says of one window. */
export interface WholeReasoning extends Omit<Reasoning, 'basis'> {
  readonly justifications: readonly { readonly label: number; readonly text: string }[];
  readonly explanation: readonly EvidentStep[];
}

export interface EvidentStep {
  readonly text: string;
  readonly evidence: {
    readonly tracks: readonly number[];
    readonly fromMs: number;
    readonly toMs: number;
  };
}

export interface ReasonerPorts extends Pick<Ports, 'score' | 'carry' | 'explain'> {
  /** Null: the bundle's language model answers no questions. */
  readonly ask:
    | ((
        window: Window,
        question: string,
        options?: { readonly maxTokens?: number },
      ) => Observable<string>)
    | null;
}

export function reasonerPorts({
  reason,
}: {
  readonly reason: (window: Window) => Promise<WholeReasoning>;
}): ReasonerPorts {
  /** By the array that an answer keeps on its way through the pipeline. */
  const said = new WeakMap<readonly number[], WholeReasoning>();
  return {
    score: async (window) => {
      const whole = await reason(window);
      const { probabilities, rawProbabilities, stagesMs } = whole;
      said.set(probabilities, whole);
      return { probabilities, rawProbabilities, basis: 'reasoned', stagesMs };
    },
    carry: () => EMPTY,
    explain: (_window, { probabilities }): readonly Explanation[] => {
      const whole = said.get(probabilities);
      if (!whole) return [];
      const justifications = whole.justifications.map((one) => ({ ...one, verified: false }));
      return [{ justifications, steps: [], grounded: null, absentNamed: 0, stagesMs: {} }];
    },
    ask: null,
  };
}
