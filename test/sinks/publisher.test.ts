/** What the bus promises of publishing, against a broker of plain functions. */
import { describe, expect, it } from 'vitest';
import { type BrokerPorts, type BusEvent, createPublisher } from '../../src/sinks/publisher.js';
import { forecast, heartbeat, scene } from '../support/messages.js';

const limits = { outboxMessagesMax: 10, outboxBytesMax: 1_000_000, unreadBytesMax: 1_000 };

function publisherOn(broker: Partial<BrokerPorts>) {
  const publisher = createPublisher('test', limits, {
    canStore: () => true,
    store: () => Promise.resolve({ result: 'stored', duplicate: false }),
    canSend: () => true,
    send: () => Promise.resolve(),
    payloadMax: () => 1_000_000,
    ...broker,
  });
  const seen: BusEvent[] = [];
  publisher.events$.subscribe((each) => seen.push(each));
  return { publisher, seen };
}

describe('a server that takes scenes but does not read them', () => {
  it('gets no more than the bound; the rest is dropped and counted', async () => {
    const { publisher, seen } = publisherOn({ send: () => new Promise(() => undefined) });
    const sizeBytes = JSON.stringify(scene(1)).length;
    const fits = Math.floor(limits.unreadBytesMax / sizeBytes);
    for (let clip = 1; clip <= fits; clip++) await publisher.publish(scene(clip));
    await expect(publisher.publish(scene(9))).rejects.toThrow(/does not read fast enough/);
    expect(seen.at(-1)).toMatchObject({ type: 'dropped', kind: 'scene', reason: 'behind' });

    // What hung on the old connection does not count against the new one.
    publisher.connected();
    await publisher.publish(scene(10));
  });

  it('gets more when it has read', async () => {
    const { publisher, seen } = publisherOn({});
    for (let n = 0; n < 50; n++) {
      await publisher.publish(scene(n));
      expect(publisher.heartbeat(heartbeat(n))).toBe(true);
      await Promise.resolve();
    }
    expect(seen.filter(({ type }) => type === 'dropped')).toEqual([]);
  });
});

it('a message that the server does not store is sent again under the same id until it does', async () => {
  const ids: string[] = [];
  const { publisher, seen } = publisherOn({
    store: (_subject, _data, id) => {
      ids.push(id);
      return Promise.resolve(
        ids.length < 3
          ? { result: 'retry', why: 'timeout' }
          : { result: 'stored', duplicate: true },
      );
    },
  });
  await publisher.publish(forecast(1, { rev: 2 }));
  expect(ids).toEqual(Array(3).fill('test-gate-1-1.2'));
  expect(seen.map(({ type }) => type)).toEqual(['retried', 'retried', 'stored']);
});
