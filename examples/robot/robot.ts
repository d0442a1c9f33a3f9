/** A robot that stops in time: listens, decides ten times a second, and prints what it does and why. */
import { connect, type Msg } from 'nats';
import { decide, type Within } from './decide.js';

const [server = 'nats://127.0.0.1:4222', site = 'home', camera = 'yard-1', threshold = '0.2'] =
  process.argv.slice(2);
let within: Within | undefined;
let states: Record<string, string> = {};
let heardAtMs = -Infinity;

// For ever: a broker that is away is no reason to end, only a reason to slow down.
const nc = await connect({
  servers: server,
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
  pingInterval: 1_000,
  maxPingOut: 2,
});
const listen = (subject: string, take: (message: Msg) => void): void => {
  const callback = (_error: Error | null, message: Msg): void => {
    try {
      take(message);
    } catch (error) {
      console.error(`${message.subject}: ${String(error)}`); // Not readable: as if it had not come.
    }
  };
  nc.subscribe(`lookahead.v1.${site}.${subject}`, { callback });
};
listen(`${camera}.within`, (message) => (within = message.json<Within>()));
listen('heartbeat', (message) => {
  states = message.json<{ cameras: Record<string, string> }>().cameras;
  heardAtMs = performance.now();
});

let last = '';
setInterval(() => {
  const heard = {
    state: states[camera] ?? 'not watched',
    heardMsAgo: performance.now() - heardAtMs,
  };
  const [action, why] = decide(within, heard, Date.now(), Number(threshold));
  if (action !== last) console.log(`${new Date().toISOString()} ${action}: ${why}`);
  last = action;
}, 100);
