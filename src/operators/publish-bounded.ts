import type { ObservableInput, OperatorFunction } from 'rxjs';
import { isRevision, kindOf, type Message, type MessageKind } from '../messages.js';
import { processBounded } from './process-bounded.js';

export interface PublishLimits {
  readonly inFlightMax: number;
  readonly waitingMax: number;
}

/** What goes first when the broker stalls: there is a new scene every second, but only one outcome of a forecast. */
const worthOf = (message: Message): number => (isRevision(message) ? 1 : worth[kindOf(message)]);
const worth: Record<MessageKind, number> = {
  scene: 0,
  event: 1,
  score: 1,
  state: 2,
  forecast: 2,
  within: 2,
  outcome: 2,
};

/**
 * Publishes a limited number of messages at a time and lets a limited number wait. Beyond that the oldest of the least
 * worth is dropped and told to `onDrop`: scenes first, then events, scores and the prose of forecasts, then all else.
 */
export function publishBounded<Out>(
  { inFlightMax, waitingMax }: PublishLimits,
  publish: (message: Message) => ObservableInput<Out>,
  onDrop: (dropped: Message) => void,
): OperatorFunction<Message, Out> {
  return processBounded(
    { runningMax: inFlightMax, waitingMax, choose: indexOfLeastWorth, onDrop },
    publish,
  );
}

function indexOfLeastWorth(waiting: readonly Message[]): number {
  const worths = waiting.map(worthOf);
  return worths.indexOf(Math.min(...worths));
}
