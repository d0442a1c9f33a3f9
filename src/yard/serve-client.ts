/** The parent's side of `serve.ts`. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { errorCodes, LookaheadError, type ErrorCode } from '../errors.js';
import type { ServeSpec } from './serve.js';

export type { ServeSpec } from './serve.js';

export interface Cameras {
  /** RTSP address by camera name. */
  readonly urls: Readonly<Record<string, string>>;
  /** The child's process id, for tests and `ps`. */
  readonly pid: number;
  /** Resolves, with what happened, when the child ends on its own. Never rejects. */
  readonly lost: Promise<string>;
  /** Ends the child and its encoders. */
  close(): Promise<void>;
}

const readyTimeoutMs = 120_000;
const endTimeoutMs = 5000;

const answerSchema = z.union([
  z.object({ ready: z.literal(true), urls: z.record(z.string(), z.string()) }),
  z.object({ error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }) }),
]);

type Child = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Starts the camera process. Rejects with a LookaheadError: `recording_unusable`, `ffmpeg_missing`, `port_taken`, `usage`;
 * `camera_unreachable` where the signal ended it before it was ready.
 */
export async function startCameras(spec: ServeSpec, signal?: AbortSignal): Promise<Cameras> {
  // Child processes run compiled JavaScript, also when this file itself is run from its source by a test.
  const script = import.meta.url.endsWith('.ts') ? '../../dist/yard/serve.js' : './serve.js';
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      resolve(`it ended with ${signal ?? String(code)}`);
    });
  });
  child.stdin.on('error', () => undefined); // It died; `exited` says so.
  const stop = (): void => void end(child, exited);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  void exited.then(() => signal?.removeEventListener('abort', stop));
  child.stdin.write(`${JSON.stringify(spec)}\n`);
  try {
    const urls = await readAnswer(child, exited);
    return {
      urls,
      pid: child.pid ?? -1,
      lost: exited,
      close: () => end(child, exited),
    };
  } catch (error) {
    await end(child, exited);
    throw error;
  }
}

async function readAnswer(child: Child, exited: Promise<string>): Promise<Record<string, string>> {
  const line = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(
        new LookaheadError(
          'camera_unreachable',
          `The camera process did not start: ${why}.`,
          'Read what it wrote above.',
        ),
      );
    };
    const timer = setTimeout(() => {
      fail(`no answer within ${readyTimeoutMs / 1000} s`);
    }, readyTimeoutMs);
    createInterface({ input: child.stdout }).once('line', (text) => {
      clearTimeout(timer);
      resolve(text);
    });
    void exited.then(fail);
  });
  const answer = answerSchema.parse(JSON.parse(line));
  if ('ready' in answer) return answer.urls;
  const { code, message, remedy } = answer.error;
  throw new LookaheadError(isErrorCode(code) ? code : 'usage', message, remedy);
}

async function end(child: Child, exited: Promise<string>): Promise<void> {
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
  await exited;
  clearTimeout(timer);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
