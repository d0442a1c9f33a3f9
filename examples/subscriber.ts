/** What a robot does with forecasts: act on fresh, calibrated ones; call everything else unknown, never clear. */
import { connect, type Msg } from 'nats';

interface Forecast {
  validUntil: string;
  calibrated: boolean;
  quality: string;
  nothing: number;
  events: { label: string; confidence: number }[];
}

const [server = 'nats://127.0.0.1:4222', site = 'home', camera = 'yard-1'] = process.argv.slice(2);
let forecast: Forecast | undefined;
let heartbeat: { cameras: Record<string, string> } | undefined;
let heardAtMs = -Infinity;

// For ever: a broker that is away is no reason to end, only a reason not to know.
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
listen(`${camera}.forecast`, (message) => (forecast = message.json<Forecast>()));
listen('heartbeat', (message) => {
  heartbeat = message.json();
  heardAtMs = performance.now();
});

/** The comparisons are written so that a missing or broken value is unknown or caution. */
function judge(): [action: 'unknown' | 'clear' | 'caution', why: string] {
  if (!(performance.now() - heardAtMs < 3_000)) return ['unknown', 'no heartbeat'];
  const state = heartbeat?.cameras[camera] ?? 'not watched';
  if (state !== 'online') return ['unknown', `the camera is ${state}`];
  if (forecast === undefined) return ['unknown', 'no forecast yet'];
  if (!(Date.now() < Date.parse(forecast.validUntil))) return ['unknown', 'the forecast is stale'];
  if (!forecast.calibrated) return ['unknown', 'the forecast is not calibrated'];
  if (forecast.quality === 'corrupt') return ['unknown', 'the picture is corrupt'];
  const likely = forecast.events.map((e) => `${e.label} ${Math.round(e.confidence * 100)} %`);
  return [forecast.nothing >= 0.5 ? 'clear' : 'caution', likely.join(', ')];
}

let last = '';
setInterval(() => {
  const [action, why] = judge();
  if (action !== last) console.log(`${new Date().toISOString()} ${action}: ${why}`);
  last = action;
}, 100);
