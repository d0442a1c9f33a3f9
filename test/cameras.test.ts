/** What a message leaves behind of a camera that was removed while it was on its way to the broker. */
import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { CameraSet } from '../src/camera-set.js';
import { publishMessage, type Engine } from '../src/cameras.js';
import type { Message } from '../src/messages.js';
import { createMetrics } from '../src/metrics/registry.js';
import { forecast } from './support/messages.js';

it('is counted where the camera is watched, and for ever forgotten where it is gone', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const cameras = new CameraSet(
    ['gate', 'yard'].map((name) => ({
      ...{ name, origin: 'api', host: null },
      url: () => Promise.resolve(''),
    })),
  );
  const acknowledged = new Subject<void>();
  const bus = {
    publish: () =>
      new Promise((done) => acknowledged.subscribe(() => done({ ackedAtMs: Date.now() }))),
  };
  const printed: string[] = [];
  const engine = {
    ...{ bus, cameras, metrics, messages: new Subject<Message>() },
    console: { message: ({ camera }: Message) => printed.push(camera) },
  } as unknown as Engine;
  const published = ['gate', 'yard'].map((camera) =>
    publishMessage(engine, forecast(1, { camera, target: 'next' })),
  );
  cameras.remove('gate');
  acknowledged.next();
  await Promise.all(published);
  const text = await metrics.text();
  expect(text).toContain('lookahead_last_forecast_timestamp_seconds{camera="yard"}');
  expect(text).not.toContain('camera="gate"');
  expect(printed).toEqual(['yard']);
});
