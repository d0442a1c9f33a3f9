/** How set-up talks and runs other programs. It writes to standard error: standard output belongs to the command. */
import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';

/** Something that a user can act on; printed without a stack. */
export class SetupError extends Error {}

const children = new Set();

/** Ctrl-C reaches the whole process group by itself; this is for a signal that is sent to the launcher alone. */
export function stopChildren(signal) {
  for (const child of children) child.kill(signal);
}

/**
 * Runs one step that may take long: its name at once, the elapsed seconds while it runs, what it did at the end.
 * `work` returns that last sentence.
 */
export async function step(name, doing, work) {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  const live = process.stderr.isTTY === true;
  const line = (text) => `set-up  ${name.padEnd(13)} ${text}`;
  process.stderr.write(line(`${doing} …${live ? '' : '\n'}`));
  const ticking = setInterval(
    () =>
      process.stderr.write(
        live ? `\r${line(`${doing} … ${seconds()} s`)}` : line(`${seconds()} s …\n`),
      ),
    live ? 500 : 15_000,
  );
  try {
    const done = await work();
    process.stderr.write(`${live ? '\r\x1b[K' : ''}${line(`${done}, ${seconds()} s`)}\n`);
  } catch (error) {
    process.stderr.write(`${live ? '\r\x1b[K' : ''}${line(`failed after ${seconds()} s`)}\n`);
    throw error;
  } finally {
    clearInterval(ticking);
  }
}

export function note(name, text) {
  process.stderr.write(`set-up  ${name.padEnd(13)} ${text}\n`);
}

/**
 * Runs a program without a shell. Resolves with its status and output, never rejects: a program that is not there has
 * status 127. `show`: its output goes straight to the terminal.
 */
export function run(file, args, { cwd, env, show = false, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: env === undefined ? process.env : { ...process.env, ...env },
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-65_536);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const end = (status) => {
      clearTimeout(limit);
      children.delete(child);
      resolve({ status, output });
    };
    // Node's own time limit would keep the process alive for as long after a program that is not there, and would wait for
    // what the program had started itself.
    const limit =
      timeoutMs &&
      setTimeout(() => {
        child.kill('SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
        end(1);
      }, timeoutMs);
    child.once('error', (error) => {
      output += error.message;
      end(127);
    });
    child.once('close', (code) => end(code ?? 1));
  });
}

/** The last lines of what a program said, for an error. */
export function tail(output, lines = 12) {
  return output.trim().split('\n').slice(-lines).join('\n');
}
