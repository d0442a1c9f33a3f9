/** The child's side of run-jobs.ts: does one job at a time. It ends when its parent does. */
import { failureOf } from './messages.js';
import type { Reply, Request } from './messages.js';

/** @param work what is done for a job; who starts the worker (run-jobs.ts) answers for the types */
export function serveJobs(work: (job: never, assignment: never) => unknown): void {
  let assignment: unknown;
  const answer = (reply: Reply<unknown>): void => void process.send?.(reply);
  const doJob = async (job: unknown): Promise<Reply<unknown>> => {
    if (assignment === undefined)
      throw new Error('A worker gets its assignment before its first job.');
    return { kind: 'done', result: await work(job as never, assignment as never) };
  };
  process.on('message', (request: Request<unknown, unknown>) => {
    if (request.kind === 'begin') ({ assignment } = request);
    else doJob(request.job).then(answer, (error: unknown) => answer(failureOf(error)));
  });
  process.on('disconnect', () => process.exit());
}
