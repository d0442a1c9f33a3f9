/** Runs jobs in child processes, one at a time in each; what a child held when it died is done again by another. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LookaheadError } from '../../errors.js';
import { errorOf } from './messages.js';
import type { Reply, Request } from './messages.js';

/** A job that ends its worker so often is not done a further time. */
const attemptsMax = 3;

export interface RunOptions<Assignment, Job, Result> {
  /** Compiled JavaScript that calls serveJobs. */
  readonly script: URL;
  readonly assignment: Assignment;
  readonly jobs: readonly Job[];
  /** For errors: «scene 3». */
  readonly nameOf: (job: Job) => string;
  readonly workers: number;
  readonly onDone: (job: Job, result: Result) => void;
  /** A worker has started on a job. */
  readonly onStart?: ((job: Job, pid: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws LookaheadError of a job; worker_lost; what `signal` was aborted with */
export async function runJobs<Assignment, Job, Result>(
  options: RunOptions<Assignment, Job, Result>,
): Promise<void> {
  const { script, assignment, jobs, nameOf, signal } = options;
  signal?.throwIfAborted();
  const waiting = [...jobs];
  const attempts = new Map<Job, number>();
  const children = new Set<ChildProcess>();
  let ended = false;

  const work = async (): Promise<void> => {
    let worker: Worker<Assignment, Job, Result> | null = null;
    for (let job = waiting.shift(); job !== undefined && !ended; job = waiting.shift()) {
      worker ??= new Worker(script, assignment, children);
      options.onStart?.(job, worker.pid);
      const outcome = await worker.ask(job);
      if (outcome.kind === 'done') {
        options.onDone(job, outcome.result);
        continue;
      }
      if (outcome.kind === 'failed') throw errorOf(outcome);
      worker = null;
      const count = (attempts.get(job) ?? 0) + 1;
      attempts.set(job, count);
      if (count === attemptsMax) throw deathOf(nameOf(job), outcome.why);
      waiting.unshift(job);
    }
    worker?.end();
  };

  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort);
  });
  try {
    const count = Math.min(options.workers, jobs.length);
    await Promise.race([aborted, Promise.all(Array.from({ length: count }, work))]);
  } finally {
    ended = true;
    signal?.removeEventListener('abort', onAbort);
    await Promise.all([...children].map(endNow));
  }
}

type Outcome<Result> = Reply<Result> | { readonly kind: 'died'; readonly why: string };

class Worker<Assignment, Job, Result> {
  readonly pid: number;
  private readonly child: ChildProcess;

  constructor(script: URL, assignment: Assignment, children: Set<ChildProcess>) {
    // Flags of this process, a debugger's port for one, are not the child's.
    this.child = fork(fileURLToPath(script), { execArgv: [] });
    this.pid = this.child.pid ?? 0;
    children.add(this.child);
    this.child.once('exit', () => children.delete(this.child));
    // Heard by whoever asks; with nobody there it would end this process.
    this.child.on('error', () => undefined);
    this.send({ kind: 'begin', assignment });
  }

  ask(job: Job): Promise<Outcome<Result>> {
    const { child } = this;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome<Result>): void => {
        child.off('message', onReply).off('exit', onExit).off('error', onError);
        resolve(outcome);
      };
      const onReply = (reply: Reply<Result>): void => settle(reply);
      const onExit = (code: number | null, name: string | null): void =>
        settle({ kind: 'died', why: name ?? `exit code ${String(code)}` });
      const onError = (error: Error): void => settle({ kind: 'died', why: error.message });
      child.on('message', onReply).on('exit', onExit).on('error', onError);
      this.send({ kind: 'job', job });
    });
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }

  /** What could not be sent is told by the child's exit. */
  private send(request: Request<Assignment, Job>): void {
    if (this.child.connected) this.child.send(request, () => undefined);
  }
}

async function endNow(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function deathOf(name: string, why: string): LookaheadError {
  return new LookaheadError(
    'worker_lost',
    `${String(attemptsMax)} workers died over ${name}, the last with ${why}.`,
    'Most often memory was short: give the same command fewer --workers.',
  );
}
