/** A run that was killed, and the one after it, over a real nats-server. */
import { expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../src/messages.js';
import { resumeOutcomes, type Resuming } from '../src/resume.js';
import { connectBus, type Bus } from '../src/sinks/bus.js';
import { event, forecast, outcome } from './support/messages.js';
import { natsServerForTest, type TestNatsServer } from './support/nats-server.js';

const labels = ['nothing happens', 'van enters', 'gate opens', 'dog leaves'].map((text, at) => ({
  ...{ type: at === 0 ? 'nothing' : (text.split(' ')[1] ?? ''), actor: null, target: null },
  ...{ text, baseRate: 0.25 },
}));

async function busOn(server: TestNatsServer): Promise<Bus> {
  const bus = await connectBus({ servers: [server.url], site: 'test' });
  onTestFinished(() => bus.close(0));
  return bus;
}

async function storedOutcomes(bus: Bus): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const { data } of bus.history('outcome', { sinceMs: 0, max: 1000 }))
    all.push(JSON.parse(new TextDecoder().decode(data)) as Outcome);
  return all;
}

it('gives every forecast of a killed run one outcome, over two restarts and a broker that comes late', async () => {
  const server = await natsServerForTest();
  const first = await busOn(server);
  await first.ready(10_000);
  for (let sequence = 0; sequence < 5; sequence++) {
    await first.publish(forecast(sequence));
    await first.publish(forecast(sequence, { rev: 1 }));
    await first.publish(
      forecast(sequence, { id: `${forecast(sequence).id}-within`, target: 'within' }),
    );
  }
  await first.publish(event(5));
  const decidedAt = new Date().toISOString();
  await first.publish(outcome(0, { decidedAt }));
  await first.close();

  const heard: string[] = [];
  const resuming = (bus: Bus, epoch: number): Resuming => ({
    ...{ cameras: ['gate', 'nobody'], labels, epoch, slackMs: 60, now: Date.now },
    isDoubtful: () => false,
    onOutcome: ({ id, verdict }) => heard.push(`${id} ${verdict}`),
    onEvent: ({ id }) => heard.push(id),
    publish: (message) => bus.publish(message),
  });
  await server.stop();
  const second = await busOn(server);
  const waiting = resumeOutcomes(second, resuming(second, 2));
  await server.start();
  expect(await waiting).toBe(9);
  expect(heard.slice(0, 2)).toEqual([`${outcome(0).id} hit`, event(5).id]);

  const stored = await storedOutcomes(second);
  const wanted = [0, 1, 2, 3, 4].flatMap((at) => [forecast(at).id, `${forecast(at).id}-within`]);
  expect(stored.map(({ id }) => id).sort()).toEqual(wanted.sort());
  const verdictOf = (id: string): unknown => {
    const { verdict, because, target } = stored.find((one) => one.id === id) ?? {};
    return [verdict, because, target];
  };
  // The van came 1 s after the window of the third.
  expect(verdictOf(forecast(2).id)).toEqual(['hit', null, 'next']);
  expect(verdictOf(`${forecast(1).id}-within`)).toEqual(['hit', null, 'within']);
  expect(verdictOf(forecast(4).id)).toEqual(['undecidable', 'restart', 'next']);

  expect(await resumeOutcomes(second, resuming(second, 3)), 'nothing is left open').toBe(0);
  expect(await storedOutcomes(second)).toHaveLength(10);
});
