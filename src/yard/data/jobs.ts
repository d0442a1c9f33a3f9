/** What a worker of a recording is asked to do. */
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
