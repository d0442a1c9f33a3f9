/** One moment to forecast, with its truth. Arrays run over all labels, index 0 is nothing. */
export interface TruthWindow {
  readonly scene: number;
  /** The last clip of the window. */
  readonly clip: number;
  readonly template: string;
  /** The label that did come first. */
  readonly next: number;
  /** pBayes: the chances of someone who knows the rules and the visible history. */
  readonly bayes: readonly number[];
  /** pState: the chances of someone who knows the whole state, hidden things too. */
  readonly state: readonly number[];
  /** pPrior: label frequencies of the template. */
  readonly prior: readonly number[];
  /** The label of the last event before the window's end. */
  readonly last: number | null;
  /** Which labels began within the horizon. */
  readonly within: readonly boolean[];
  readonly bayesWithin: readonly number[];
  readonly priorWithin: readonly number[];
}
