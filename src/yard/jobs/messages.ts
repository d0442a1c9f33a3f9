/** What goes between a process and the workers that it shares long work out to; plain JSON both ways. */
import { LookaheadError } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';

/** `assignment` is what all jobs share. */
export type Request<Assignment, Job> =
  | { readonly kind: 'begin'; readonly assignment: Assignment }
  | { readonly kind: 'job'; readonly job: Job };

export type Reply<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly stack: string;
      /** Of a failure that an operator can act on. */
      readonly operator: { readonly code: ErrorCode; readonly remedy: string } | null;
    };

export type Failure = Extract<Reply<never>, { kind: 'failed' }>;

export function failureOf(error: unknown): Failure {
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const operator =
    error instanceof LookaheadError ? { code: error.code, remedy: error.remedy } : null;
  return { kind: 'failed', message, stack, operator };
}

export function errorOf({ message, stack, operator }: Failure): Error {
  if (operator) return new LookaheadError(operator.code, message, operator.remedy);
  return new Error(`A worker failed: ${stack}`);
}
