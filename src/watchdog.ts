/**
 * What systemd is told of a service of `Type=notify`: that it is ready, how it is, that it is alive, that it stops. Node has no
 * datagram sockets of Unix, so systemd's own program carries each message. Without systemd all of this does nothing.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { printable } from './console.js';

export interface WatchdogOptions {
  /** As systemd sets it: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** While it is not, systemd is told nothing, and starts the engine again when its patience ends. */
  readonly isHealthy: () => boolean;
  /** What the operator should know, once. */
  readonly say: (text: string) => void;
  readonly program?: string;
}

export interface Watchdog {
  /** The engine has started; `hindrances` are asked for at each sign of life from now on. */
  ready(hindrances: () => readonly string[]): void;
  stopping(): void;
  /** Says nothing more, and keeps no process waiting. */
  close(): void;
}

/** Without a watchdog the state is told so often. */
const statusPeriodMs = 10_000;
/** systemd-notify waits by itself until its message was read, at most this long. */
const messageMaxMs = 6_000;
const statusCharsMax = 200;

/** Signs of life come from a timer of the event loop: a loop that hangs gives none. */
export function openWatchdog(options: WatchdogOptions): Watchdog {
  const { env, isHealthy, say, program = 'systemd-notify' } = options;
  const socket = env['NOTIFY_SOCKET'] ?? '';
  if (socket === '') return { ready: nothing, stopping: nothing, close: nothing };

  let timer: NodeJS.Timeout | undefined;
  let running: ChildProcess | undefined;
  /** What could not be told yet, newest wins; a message that is late is no reason for a second process. */
  let waiting: readonly string[] | undefined;
  let hasComplained = false;
  let isClosed = false;

  const complain = (why: string): void => {
    if (hasComplained || isClosed) return;
    hasComplained = true;
    say(`systemd is not told how the engine is: ${program} ${why}. It will end the service.`);
  };
  const tell = (facts: readonly string[]): void => {
    if (isClosed) return;
    if (running !== undefined) {
      waiting = facts;
      return;
    }
    const child = spawn(program, facts, {
      // Of its own surroundings a message needs only where it goes.
      env: { PATH: env['PATH'], NOTIFY_SOCKET: socket },
      stdio: 'ignore',
      timeout: messageMaxMs,
    });
    running = child;
    const done = (): void => {
      if (running !== child) return;
      running = undefined;
      const next = waiting;
      waiting = undefined;
      if (next !== undefined) tell(next);
    };
    child.once('error', (error) => {
      complain(`cannot be started (${error.message})`);
      done();
    });
    child.once('close', (code, signal) => {
      if (code !== 0) complain(`ended with ${signal ?? String(code)}`);
      done();
    });
    child.unref();
  };

  return {
    ready: (hindrances) => {
      const watched = watchdogMs(env);
      const state = (): string => `STATUS=${statusOf(hindrances())}`;
      tell(['READY=1', state()]);
      timer = setInterval(
        () => {
          if (isHealthy()) tell([...(watched === undefined ? [] : ['WATCHDOG=1']), state()]);
        },
        watched === undefined ? statusPeriodMs : watched / 2,
      );
      timer.unref();
    },
    stopping: () => {
      clearInterval(timer);
      tell(['STOPPING=1', 'STATUS=stopping']);
    },
    close: () => {
      clearInterval(timer);
      isClosed = true;
      waiting = undefined;
    },
  };
}

/** systemd's patience; undefined: it has endless patience, or means another process. */
function watchdogMs(env: WatchdogOptions['env']): number | undefined {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '');
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined;
  const meant = env['WATCHDOG_PID'] ?? '';
  if (meant !== '' && meant !== String(process.pid)) return undefined;
  return microseconds / 1000;
}

function statusOf(hindrances: readonly string[]): string {
  const text = hindrances.length === 0 ? 'ready' : `not ready: ${hindrances.join('; ')}`;
  return printable(text).slice(0, statusCharsMax);
}

function nothing(): void {
  // Without systemd there is nobody to tell.
}
