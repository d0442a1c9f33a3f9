/** How the dashboard is let into NATS, or why it is not. */
import { describe, expect, it } from 'vitest';
import { ConfigSchema } from '../../src/config.js';
import { natsGate } from '../../src/nats-gate.js';

const configOf = (nats: object) => ConfigSchema.parse({ nats });
const elsewhere = { servers: ['nats://h:4222'], user: 'pipeline', password: 'engine-only' };
const noneBeside = () => undefined;

describe('beside the engine', () => {
  it('the dashboard has a login of its own, and follows the server wherever it is started again', () => {
    let at: string | undefined = 'ws://127.0.0.1:1';
    const gate = natsGate(configOf({}), () => ({
      ...{ url: '', dashboardPassword: 'reads' },
      websocketUrl: () => at,
    }));
    expect(gate.address()).toEqual({
      ...{ url: 'ws://127.0.0.1:1', user: 'dashboard', password: 'reads' },
    });
    at = undefined;
    expect(gate.address()).toMatchObject({
      hindrance: expect.stringContaining('started') as string,
    });
    at = 'ws://127.0.0.1:2';
    expect(gate.address()).toMatchObject({ url: 'ws://127.0.0.1:2' });
  });

  it('a server that is not there yet is a hindrance', () => {
    expect(natsGate(configOf({}), noneBeside).address()).toHaveProperty('hindrance');
  });
});

describe('with configured servers', () => {
  it('the dashboard has the login that is meant for it', () => {
    const dashboard = {
      websocket: 'wss://h:8443',
      dashboardUser: 'dashboard',
      dashboardPassword: 'reads',
    };
    expect(natsGate(configOf({ ...elsewhere, ...dashboard }), noneBeside).address()).toEqual({
      url: 'wss://h:8443',
      user: 'dashboard',
      password: 'reads',
    });
  });

  it('the dashboard logs in as nobody rather than as the engine', () => {
    const config = configOf({ ...elsewhere, websocket: 'ws://h:8080' });
    const address = natsGate(config, noneBeside).address();
    expect(address).toEqual({ url: 'ws://h:8080', user: null, password: null });
  });

  it.each<[string, object]>([
    ['of nats.user', elsewhere],
    ['in an address', { servers: ['nats://pipeline:engine-only@h:4222'] }],
  ])("the engine's own login %s is not given away", (_where, nats) => {
    const dashboard = {
      websocket: 'ws://h:8080',
      dashboardUser: 'pipeline',
      dashboardPassword: 'engine-only',
    };
    const address = natsGate(configOf({ ...nats, ...dashboard }), noneBeside).address();
    expect(address).toMatchObject({
      hindrance: expect.stringContaining('nats.dashboardUser') as string,
    });
    expect(JSON.stringify(address)).not.toContain('engine-only');
  });

  it('without an address the key is named', () => {
    expect(natsGate(configOf(elsewhere), noneBeside).address()).toMatchObject({
      hindrance: expect.stringContaining('nats.websocket') as string,
    });
  });
});
