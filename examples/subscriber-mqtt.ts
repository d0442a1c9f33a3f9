/** The same over MQTT 3.1.1, which nats-server speaks too: act on fresh, calibrated forecasts; call all else unknown. */
import { connect } from 'mqtt';

interface Forecast {
  validUntil: string;
  calibrated: boolean;
  quality: string;
  nothing: number;
  events: { label: string; confidence: number }[];
}

const [server = 'mqtt://127.0.0.1:1883', site = 'home', camera = 'yard-1'] = process.argv.slice(2);
let forecast: Forecast | undefined;
let heartbeat: { cameras: Record<string, string> } | undefined;
let heardAtMs = -Infinity;

// What is published over NATS comes as QoS 0 and is not retained: the first forecast is the next one, not the last.
// `+` instead of the camera hears all of them.
const topics = [`lookahead/v1/${site}/${camera}/forecast`, `lookahead/v1/${site}/heartbeat`];
// For ever: a broker that is away is no reason to end, only a reason not to know.
const client = connect(server, { reconnectPeriod: 1_000, keepalive: 2, protocolVersion: 4 });
client.on('connect', () => client.subscribe(topics, { qos: 0 }));
client.on('error', (error) => console.error(String(error)));
client.on('message', (topic, payload) => {
  try {
    const message: unknown = JSON.parse(payload.toString());
    if (topic.endsWith('/forecast')) forecast = message as Forecast;
    else [heartbeat, heardAtMs] = [message as typeof heartbeat, performance.now()];
  } catch (error) {
    console.error(`${topic}: ${String(error)}`); // Not readable: as if it had not come.
  }
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
