/** Speaks the NATS protocol word by word, so that the server itself says what a login may and may not. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';

export interface ProbeLogin {
  readonly user?: string;
  readonly pass?: string;
}

export interface NatsProbe {
  /** Publishes an empty message. Says what the server answered: "+OK", or "-ERR '...'". */
  publish(subject: string): Promise<string>;
  subscribe(subject: string): Promise<string>;
}

/**
 * @param url nats:// (without TLS) or ws://
 * @throws with the server's words when it refuses the login
 */
export async function probeNats(url: string, login: ProbeLogin = {}): Promise<NatsProbe> {
  const stream = url.startsWith('ws') ? openWebSocket(url) : openSocket(url);
  onTestFinished(() => void stream.destroy());
  const answers: string[] = [];
  const lines = createInterface({ input: stream });
  let ended = false;
  const wake = new EventTarget();
  const stir = (): void => void wake.dispatchEvent(new Event('stir'));
  lines.on('line', (line) => {
    if (/^(\+OK|-ERR)/.test(line)) answers.push(line);
    stir();
  });
  stream.on('error', stir).on('close', () => {
    ended = true;
    stir();
  });
  let ids = 0;
  const say = async (text: string): Promise<string> => {
    stream.write(`${text}\r\n`);
    while (answers.length === 0) {
      if (ended) throw new Error(`the server left after ${text.split(' ')[0]!}`);
      await once(wake, 'stir');
    }
    return answers.shift()!;
  };
  const words = { verbose: true, pedantic: false, headers: true, protocol: 1, ...login };
  const welcome = await say(`CONNECT ${JSON.stringify(words)}`);
  if (welcome !== '+OK') throw new Error(welcome);
  return {
    publish: (subject) => say(`PUB ${subject} 0\r\n`),
    subscribe: (subject) => say(`SUB ${subject} ${++ids}`),
  };
}

function openSocket(url: string): Duplex {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}

function openWebSocket(url: string): Duplex {
  return createWebSocketStream(new WebSocket(url, { perMessageDeflate: false }));
}
