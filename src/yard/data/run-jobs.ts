/** Runs jobs in child processes, one at a time in each; what a child held when it died is done again by another. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LookaheadError } from '../../errors.js';
import { errorOf, nameOf } from './jobs.js';
import type { Assignment, Job, Reply, Request, Result } from './jobs.js';

/** Compiled, also where this file is not. */
const script = import.meta.url.endsWith('.ts')
  ? '../../../dist/yard/data/record-worker.js'
  : './record-worker.js';

/** A job that ends its worker so often is not done a further time. */
const attemptsMax = 3;

export interface RunOptions {
  readonly workers: number;
  readonly onDone: (job: Job, result: Result) => void;
  /** A worker has started on a job. */
  readonly onStart?: ((job: Job, pid: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws LookaheadError of a job; what `signal` was aborted with */
export async function runJobs(
  assignment: Assignment,
  jobs: readonly Job[],
  options: RunOptions,
): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const waiting = [...jobs];
  const attempts = new Map<Job, number>();
  const children = new Set<ChildProcess>();
  let ended = false;

  const work = async (): Promise<void> => {
    let worker: Worker | null = null;
    for (let job = waiting.shift(); job && !ended; job = waiting.shift()) {
      worker ??= new Worker(assignment, children);
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
      if (count === attemptsMax) throw deathOf(job, outcome.why);
      waiting.unshift(job);
    }
    worker?.end();
  };

  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    const count = Math.min(options.workers, jobs.length);
    await Promise.race([aborted, Promise.all(Array.from({ length: count }, work))]);
  } finally {
    ended = true;
    await Promise.all([...children].map(endNow));
  }
}

type Outcome = Reply | { readonly kind: 'died'; readonly why: string };

class Worker {
  readonly pid: number;
  private readonly child: ChildProcess;

  constructor(assignment: Assignment, children: Set<ChildProcess>) {
    // Flags of this process, a debugger's port for one, are not the child's.
    this.child = fork(fileURLToPath(new URL(script, import.meta.url)), { execArgv: [] });
    this.pid = this.child.pid ?? 0;
    children.add(this.child);
    this.child.once('exit', () => children.delete(this.child));
    // Heard by whoever asks; with nobody there it would end this process.
    this.child.on('error', () => undefined);
    this.send({ kind: 'begin', assignment });
  }

  ask(job: Job): Promise<Outcome> {
    const { child } = this;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        child.off('message', onReply).off('exit', onExit).off('error', onError);
        resolve(outcome);
      };
      const onReply = (reply: Reply): void => settle(reply);
      const onExit = (code: number | null, name: string | null): void =>
        settle({ kind: 'died', why: name ?? `exit code ${String(code)}` });
      const onError = (error: Error): void => settle({ kind: 'died', why: error.message });
      child.on('message', onReply).on('exit', onExit).on('error', onError);
      this.send(job);
    });
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }

  /** What could not be sent is told by the child's exit. */
  private send(request: Request): void {
    if (this.child.connected) this.child.send(request, () => undefined);
  }
}

async function endNow(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function deathOf(job: Job, why: string): LookaheadError {
  return new LookaheadError(
    'usage',
    `${String(attemptsMax)} workers died over ${nameOf(job)}, the last with ${why}.`,
    'Most often memory was short: give fewer --workers; the same command goes on where it ended.',
  );
}
