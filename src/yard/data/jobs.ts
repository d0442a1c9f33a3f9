/** What a worker of a recording is asked to do, and how it answers; plain JSON both ways. */
import { LookaheadError } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';
import type { Prior } from '../truth/prior.js';
import type { Recording } from './schema.js';

export type Job =
  | { readonly kind: 'scene'; readonly scene: number }
  | { readonly kind: 'tracks'; readonly scene: number }
  | { readonly kind: 'prior'; readonly template: string }
  | { readonly kind: 'texts' };

/** What all jobs of one recording share. */
export interface Assignment {
  readonly recording: Recording;
  readonly outDir: string;
  readonly ffmpegPath: string;
}

/** A prior comes back as it is; all else is on disk. */
export type Result = Prior | null;

export type Request = { readonly kind: 'begin'; readonly assignment: Assignment } | Job;

export type Reply =
  | { readonly kind: 'done'; readonly result: Result }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly stack: string;
      /** Of a failure that an operator can act on. */
      readonly operator: { readonly code: ErrorCode; readonly remedy: string } | null;
    };

export function failureOf(error: unknown): Reply {
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const operator =
    error instanceof LookaheadError ? { code: error.code, remedy: error.remedy } : null;
  return { kind: 'failed', message, stack, operator };
}

export function errorOf({ message, stack, operator }: Extract<Reply, { kind: 'failed' }>): Error {
  if (operator) return new LookaheadError(operator.code, message, operator.remedy);
  return new Error(`A worker of the recording failed: ${stack}`);
}

export function nameOf(job: Job): string {
  switch (job.kind) {
    case 'scene':
    case 'tracks':
      return `scene ${String(job.scene)}`;
    case 'prior':
      return `the prior of ${job.template}`;
    case 'texts':
      return 'texts.jsonl';
  }
}
