import { expect, it } from 'vitest';
import { TryLimit } from '../../src/http/try-limit.js';

/** How many of `tries` are let through. */
function passed(limit: TryLimit, address: (index: number) => string, tries: number): number {
  return Array.from({ length: tries }, (_, index) => limit.take(address(index))).filter(
    (waitMs) => waitMs === 0,
  ).length;
}

it('an address has five tries, whatever others do', () => {
  const limit = new TryLimit(() => 0);
  expect(passed(limit, () => '192.0.2.1', 9)).toBe(5);
  expect(passed(limit, () => '192.0.2.2', 9)).toBe(5);
});

it('all of them have thirty, then one each ten seconds', () => {
  let nowMs = 0;
  const limit = new TryLimit(() => nowMs);
  expect(passed(limit, (index) => `192.0.2.${index}`, 100)).toBe(30);
  nowMs += 20_000;
  expect(passed(limit, (index) => `198.51.100.${index}`, 100)).toBe(2);
});

it('one network of IPv6 counts as one address, and IPv4 is the same in both forms', () => {
  const limit = new TryLimit(() => 0);
  expect(passed(limit, (index) => `2001:db8::${index}`, 9)).toBe(5);
  expect(limit.take('2001:db8:0:0:ffff:1:2:3')).toBeGreaterThan(0);
  expect(limit.take('2001:db8:0:1::1')).toBe(0);
  expect(passed(limit, (index) => (index % 2 ? '::ffff:192.0.2.1' : '192.0.2.1'), 9)).toBe(5);
});

it('a forgotten address does not pass the limit for all', () => {
  const limit = new TryLimit(() => 0);
  expect(passed(limit, (index) => `10.0.${index >> 8}.${index & 255}`, 10_000)).toBe(30);
});

it('whoever was let in before is not kept out by strangers, and has no more tries than they', () => {
  const limit = new TryLimit(() => 0);
  expect(limit.take('192.0.2.1')).toBe(0);
  limit.forgive('192.0.2.1');
  expect(passed(limit, (index) => `198.51.100.${index}`, 100)).toBe(30);
  expect(passed(limit, () => '192.0.2.1', 9)).toBe(5);
  limit.forgive('192.0.2.1');
  expect(limit.take('203.0.113.1'), 'what it took was not of the others').toBeGreaterThan(0);
});
