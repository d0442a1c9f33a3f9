import type { Bundle } from './bundle.js';
import type { ModelChild } from './model-child.js';
import type { ModelPorts } from './model-ports.js';

/** Models that can be replaced by others while they are in use: whoever holds these always asks the present ones. */
export class SwitchableModels implements ModelPorts {
  #present: ModelPorts;

  constructor(first: ModelPorts) {
    this.#present = first;
  }

  get bundle(): Bundle {
    return this.#present.bundle;
  }

  get perceiver(): ModelChild {
    return this.#present.perceiver;
  }

  get reasoner(): ModelChild {
    return this.#present.reasoner;
  }

  readonly perceive: ModelPorts['perceive'] = (clip, epoch) => this.#present.perceive(clip, epoch);
  readonly score: ModelPorts['score'] = (window) => this.#present.score(window);
  readonly carry: ModelPorts['carry'] = (window) => this.#present.carry(window);
  readonly explain: ModelPorts['explain'] = (window, reasoning) =>
    this.#present.explain(window, reasoning);
  readonly ask: ModelPorts['ask'] = (window, question, options) =>
    this.#present.ask(window, question, options);
  readonly close: ModelPorts['close'] = () => this.#present.close();

  /** @returns those that were asked until now; whoever replaces them closes them */
  replace(next: ModelPorts): ModelPorts {
    const last = this.#present;
    this.#present = next;
    return last;
  }
}
