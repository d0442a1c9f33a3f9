import { describe, expect, it } from 'vitest';
import { parseServer, readLoginFile } from '../../src/sinks/broker-address.js';

describe('the address of a NATS server', () => {
  it.each([
    ['nats://host:4333', { url: 'nats://host:4333', host: 'host', port: 4333, tls: false }],
    ['host', { url: 'nats://host:4222', host: 'host', port: 4222, tls: false }],
    ['127.0.0.1:4223', { url: 'nats://127.0.0.1:4223', host: '127.0.0.1', port: 4223 }],
    ['tls://host', { url: 'tls://host:4222', tls: true }],
    ['nats://[::1]:4222', { url: 'nats://[::1]:4222', host: '::1' }],
    ['nats://me:p%40ss@host', { url: 'nats://host:4222', user: 'me', pass: 'p@ss' }],
    ['nats://me:100%@host', { url: 'nats://host:4222', user: 'me', pass: '100%' }],
  ])('%s is read', (text, expected) => {
    expect(parseServer(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'http://host',
    'nats://',
    'nats://me:secret@',
    'nats://me:secret@ho st',
    'nats://h:99999',
    'nats://h:0',
  ])('%s is refused, without its login', (text) => {
    expect(() => parseServer(text)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(() => parseServer(text)).not.toThrow(/secret/);
  });

  it('names a credentials file that cannot be read', () => {
    expect(() => readLoginFile('credentials', '/nowhere/a.creds')).toThrow(
      expect.objectContaining({ code: 'config_unreadable' }),
    );
  });
});
