/** One RTSP connection: answers its requests one after the other and owns its sessions. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { challenge, isRightAnswer, parseDigest } from './digest.js';
import { Reader, type Mount } from './mount.js';
import { RequestReader, type ClientItem, type RtspRequest } from './requests.js';
import {
  datagramTransport,
  interleavedTransport,
  type Transport,
  type UdpPair,
} from './transport.js';

/** What a connection needs from its server. */
export interface ConnectionContext {
  mount(name: string): Mount | undefined;
  readonly udp: UdpPair;
  readonly sessionTimeoutMs: number;
}

interface Session {
  readonly mount: Mount;
  reader: Reader;
}

interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const methods = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN';
const sessionsMax = 8;
const requestsWaitingMax = 32;
const wrongAnswersMax = 10;
const describeTimeoutMs = 5000;

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  451: 'Parameter Not Understood',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'RTSP Version Not Supported',
};

export class Connection {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #requests = new RequestReader();
  readonly #waiting: RtspRequest[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #nonce = randomBytes(16).toString('hex');
  #isAnswering = false;
  #wrongAnswers = 0;
  #lastSignMs = performance.now();

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      for (const item of this.#requests.push(chunk)) this.#take(item);
    });
    // A reader without its connection is gone, over UDP too: nothing is sent to nobody.
    socket.on('close', () => {
      for (const id of [...this.#sessions.keys()]) this.#end(id);
    });
    socket.on('error', () => undefined); // 'close' follows.
  }

  /** Milliseconds since the client last gave a sign of life: a request or RTCP. */
  get silentMs(): number {
    return performance.now() - this.#lastSignMs;
  }

  /** RTCP came in by UDP. Returns whether it was for this connection. */
  takeControl(address: string, port: number): boolean {
    for (const { reader } of this.#sessions.values()) {
      if (!reader.transport.isControlFrom(address, port)) continue;
      this.#lastSignMs = performance.now();
      return true;
    }
    return false;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(item: ClientItem): void {
    this.#lastSignMs = performance.now();
    switch (item.kind) {
      case 'interleaved':
        return; // A receiver report: the sign of life is all that matters.
      case 'malformed':
        this.#socket.end(format({ status: item.status }));
        return;
      case 'request':
        if (this.#waiting.length >= requestsWaitingMax) this.close();
        this.#waiting.push(item);
        void this.#answerAll();
    }
  }

  async #answerAll(): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { headers = {}, ...rest } = await this.#answer(next);
        const all = { CSeq: next.headers.get('cseq') ?? '', ...headers };
        if (this.#socket.writable) this.#socket.write(format({ ...rest, headers: all }));
        if (next.method === 'PLAY' && rest.status === 200) this.#startPlaying(next);
      }
    } finally {
      this.#isAnswering = false;
    }
    if (this.#wrongAnswers >= wrongAnswersMax) this.#socket.end();
  }

  async #answer(request: RtspRequest): Promise<Response> {
    if (!methods.split(', ').includes(request.method)) {
      return { status: 501, headers: { Public: methods } };
    }
    if (request.method === 'OPTIONS') return { status: 200, headers: { Public: methods } };
    const name = mountNameOf(request.uri);
    if (name === undefined) return { status: 400 };
    const mount = this.#context.mount(name);
    if (mount === undefined) return { status: 404 };
    if (!this.#isAllowed(request, mount)) {
      return { status: 401, headers: { 'WWW-Authenticate': challenge(this.#nonce) } };
    }
    if (request.method === 'DESCRIBE') return this.#describe(request, mount);
    if (request.method === 'SETUP') return this.#setUp(request, mount);

    const id = sessionIdOf(request);
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (request.method === 'GET_PARAMETER' && id === undefined) {
      return { status: request.body.length === 0 ? 200 : 451 };
    }
    if (id === undefined || session?.mount !== mount) return { status: 454 };
    const headers = { Session: this.#sessionHeader(id) };
    switch (request.method) {
      case 'PLAY':
        return { status: 200, headers: { ...headers, Range: 'npt=now-' } };
      case 'PAUSE':
        session.reader.isPlaying = false;
        session.reader.waitsForKey = true;
        return { status: 200, headers };
      case 'TEARDOWN':
        this.#end(id);
        return { status: 200 };
      default:
        return { status: request.body.length === 0 ? 200 : 451, headers };
    }
  }

  #isAllowed(request: RtspRequest, mount: Mount): boolean {
    if (mount.credentials === undefined && !mount.refusesLogin) return true;
    const header = request.headers.get('authorization');
    if (header === undefined) return false;
    const answer = parseDigest(header);
    const isRight =
      answer !== undefined &&
      !mount.refusesLogin &&
      mount.credentials !== undefined &&
      // The URI is part of the proof; an answer for one camera must not open another.
      mountNameOf(answer.get('uri') ?? '') === mount.name &&
      isRightAnswer(answer, mount.credentials, request.method, this.#nonce);
    if (!isRight) this.#wrongAnswers += 1;
    return isRight;
  }

  async #describe(request: RtspRequest, mount: Mount): Promise<Response> {
    const media = await mount.describe(describeTimeoutMs);
    if (media === undefined) return { status: 503 };
    const base = request.uri.replace(/[?#].*$/s, '').replace(/\/*$/, '/');
    const body = [
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      `s=${mount.name}`,
      'c=IN IP4 0.0.0.0',
      't=0 0',
      'a=control:*',
      'a=range:npt=now-',
      media,
    ].join('\r\n');
    return {
      status: 200,
      headers: { 'Content-Base': base, 'Content-Type': 'application/sdp' },
      body,
    };
  }

  #setUp(request: RtspRequest, mount: Mount): Response {
    const givenId = sessionIdOf(request);
    const before = givenId === undefined ? undefined : this.#sessions.get(givenId);
    if (givenId !== undefined && before?.mount !== mount) return { status: 454 };
    if (before?.reader.isPlaying === true) return { status: 455 };
    if (before === undefined && this.#sessions.size >= sessionsMax) return { status: 453 };
    const transport = this.#transportFor(request.headers.get('transport') ?? '', mount);
    if (transport === undefined) return { status: 461 };

    const id = givenId ?? randomBytes(8).toString('hex');
    if (before !== undefined) mount.readers.delete(before.reader);
    const reader = new Reader(transport, () => {
      this.close();
    });
    this.#sessions.set(id, { mount, reader });
    mount.readers.add(reader);
    return {
      status: 200,
      headers: { Transport: transport.header, Session: this.#sessionHeader(id) },
    };
  }

  /** The first of the client's offers that can be met. */
  #transportFor(header: string, mount: Mount): Transport | undefined {
    const ssrc = mount.ssrcParameter;
    for (const offer of header.split(',')) {
      const [protocol = '', ...parameters] = offer.trim().split(';');
      const isOther = parameters.some((text) =>
        /^(multicast|mode="?(?!play)[a-z]+"?)$/i.test(text),
      );
      if (isOther) continue;
      if (/^RTP\/AVP\/TCP$/i.test(protocol)) {
        const [media, control] = numbersOf(parameters, 'interleaved') ?? this.#freeChannels();
        if (media > 255 || control > 255 || media === control) continue;
        return interleavedTransport(this.#socket, media, control, ssrc);
      }
      if (/^RTP\/AVP(\/UDP)?$/i.test(protocol)) {
        const [media, control] = numbersOf(parameters, 'client_port') ?? [0, 0];
        const address = this.#socket.remoteAddress;
        if (media < 1024 || control < 1024 || media > 65535 || control > 65535) continue;
        // Only to where the connection comes from: `destination` would let a client flood a third machine.
        if (address === undefined) continue;
        return datagramTransport(this.#context.udp, address, media, control, ssrc);
      }
    }
    return undefined;
  }

  #freeChannels(): [number, number] {
    const first = 2 * this.#sessions.size;
    return [first, first + 1];
  }

  #sessionHeader(id: string): string {
    return `${id};timeout=${Math.round(this.#context.sessionTimeoutMs / 1000)}`;
  }

  /** Only after the answer is written: interleaved media must not overtake it. */
  #startPlaying(request: RtspRequest): void {
    const session = this.#sessions.get(sessionIdOf(request) ?? '');
    if (session !== undefined) session.reader.isPlaying = true;
  }

  #end(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.reader.isPlaying = false;
    session.mount.readers.delete(session.reader);
    this.#sessions.delete(id);
  }
}

/** `rtsp://host:port/NAME`, with or without a track behind it. */
function mountNameOf(uri: string): string | undefined {
  const [, name] =
    /^rtsp:\/\/[^/\s]+\/([A-Za-z0-9_-]{1,64})(?:\/(?:trackID=0)?)?(?:\?.*)?$/i.exec(uri) ?? [];
  return name;
}

function sessionIdOf(request: RtspRequest): string | undefined {
  return request.headers.get('session')?.split(';')[0]?.trim();
}

/** `name=a-b`, or `name=a` for a and a + 1. */
function numbersOf(parameters: readonly string[], name: string): [number, number] | undefined {
  const text = parameters.find((parameter) => parameter.toLowerCase().startsWith(`${name}=`));
  const [, first, second] = /=(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? '') ?? [];
  if (first === undefined) return undefined;
  return [Number(first), second === undefined ? Number(first) + 1 : Number(second)];
}

function format({ status, headers = {}, body = '' }: Response): string {
  const all = {
    ...headers,
    Server: 'Lookahead',
    'Content-Length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `RTSP/1.0 ${status} ${reasons[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
