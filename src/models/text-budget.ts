/** How much text may cost. What is cut off ends in an ellipsis. 0 milliseconds: no text at all. */
export interface TextBudget {
  readonly tokensMax: number;
  readonly justifyMs: number;
  readonly explainMs: number;
}

/** As many tokens as a text of training has; half of the yard's explanations need over 46. */
export const usualBudget: TextBudget = { tokensMax: 96, justifyMs: 200, explainMs: 300 };

/** Cut by tokens only, never by the clock: what replays need to give equal messages. */
export const unhurriedBudget: TextBudget = {
  ...usualBudget,
  justifyMs: 600_000,
  explainMs: 600_000,
};

/** Chances without prose: what measuring them needs. */
export const noText: TextBudget = { tokensMax: 0, justifyMs: 0, explainMs: 0 };
