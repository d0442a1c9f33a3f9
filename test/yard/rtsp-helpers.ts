/** What the tests of the RTSP server share: streams to serve, ffmpeg as a reader, and a client that sees each packet. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { RtspServer, type ListenOptions } from '../../src/yard/rtsp-server.js';

/** From FFMPEG, the project's cache folder (where the set-up puts it) or PATH. */
export function ffmpegPath(): string {
  const folders = ['.cache/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const candidates = [process.env['FFMPEG'] ?? '', ...folders.map((it) => join(it, 'ffmpeg'))];
  const found = candidates.find((path) => path !== '' && existsSync(path));
  if (found === undefined) throw new Error('ffmpeg was not found: install it, or set FFMPEG.');
  return found;
}

/** For use inside a test: closes with it. */
export async function serverForTest(options: ListenOptions = {}): Promise<RtspServer> {
  const server = await RtspServer.listen(options);
  onTestFinished(() => server.close());
  return server;
}

/** A child that ends with the test, whatever happens. */
export function spawnForTest(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}

const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0'];

/** An H.264 byte stream of ffmpeg's test picture: 16 frames a second, a key picture each second. */
export function testStream(
  seconds: number,
  size = '320x180',
  extra: readonly string[] = [],
): Buffer {
  const source = `testsrc2=size=${size}:rate=16:duration=${seconds}`;
  const args = [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    ...encoder,
    '-g',
    '16',
    '-threads',
    '2',
  ];
  const output = ['-pix_fmt', 'yuv420p', ...extra, '-f', 'h264', 'pipe:1'];
  const { stdout, stderr } = spawnSync(ffmpegPath(), [...args, ...output], { maxBuffer: 1 << 28 });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return stdout;
}

/** The test picture in real time, into a live mount's `write`. */
export function liveArgs(size = '320x180'): string[] {
  const source = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=16`];
  const params = ['-x264-params', 'repeat-headers=1', '-flush_packets', '1'];
  return ['-v', 'error', ...source, ...encoder, '-g', '16', '-pix_fmt', 'yuv420p', ...params];
}

export interface Watched {
  readonly size: string;
  /** Presentation times in seconds of the decoded pictures. */
  readonly times: readonly number[];
  /** A hash of each decoded picture. */
  readonly checksums: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
}

/** Reads with the real ffmpeg until so many pictures are decoded, or until ffmpeg ends. */
export async function watch(
  url: string,
  transport: 'tcp' | 'udp',
  frames: number,
): Promise<Watched> {
  const input = ['-rtsp_transport', transport, '-i', url, '-an', '-fps_mode', 'passthrough'];
  const output = ['-frames:v', String(frames), '-vf', 'showinfo', '-f', 'null', '-'];
  const child = spawnForTest(ffmpegPath(), ['-hide_banner', '-nostdin', ...input, ...output]);
  let stderr = '';
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(child, 'close');
  const shown = [...stderr.matchAll(/pts_time:(\S+).* s:(\d+x\d+) .*checksum:(\w+)/g)];
  // ffmpeg's H.264 parser gives the first picture of any RTSP stream no time, then takes it for 0 like the second's, and
  // does not count it.
  if (shown[0]?.[1] === shown[1]?.[1]) shown.shift();
  return {
    size: shown[0]?.[2] ?? '',
    times: shown.map(([, time]) => Number(time)),
    checksums: shown.map(([, , , checksum = '']) => checksum),
    exitCode: child.exitCode,
    stderr,
  };
}

/** Polls until it holds; fails after `timeoutMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(20);
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One RTP packet of the interleaved channel 0. */
export interface RtpPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly isMarked: boolean;
  readonly payload: Buffer;
}

/** A bare RTSP client over TCP. */
export class TestClient {
  readonly url: string;
  readonly packets: RtpPacket[] = [];
  /** RTCP, channel 1. */
  readonly control: Buffer[] = [];
  isClosed = false;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #replies: Reply[] = [];
  #sequence = 0;

  /** Closes with the test. */
  static async open(url: string): Promise<TestClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const client = new TestClient(socket, url);
    onTestFinished(() => {
      socket.destroy();
    });
    return client;
  }

  private constructor(socket: Socket, url: string) {
    this.#socket = socket;
    this.url = url;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      while (this.#takeOne());
    });
  }

  raw(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async reply(): Promise<Reply> {
    await until('a reply', () => this.#replies.length > 0 || this.isClosed);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error('the server closed the connection');
    return reply;
  }

  async request(
    method: string,
    headers: Readonly<Record<string, string>> = {},
    uri = this.url,
  ): Promise<Reply> {
    this.#sequence += 1;
    const lines = Object.entries({ CSeq: String(this.#sequence), ...headers });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.raw(`${method} ${uri} RTSP/1.0\r\n${text}\r\n`);
    return this.reply();
  }

  /** SETUP (interleaved) and PLAY. Returns the session's id. */
  async play(headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const transport = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
    const setup = await this.request(
      'SETUP',
      { ...transport, ...headers },
      `${this.url}/trackID=0`,
    );
    const session = setup.headers.get('session')?.split(';')[0] ?? '';
    const play = await this.request('PLAY', { Session: session, ...headers });
    if (play.status !== 200) throw new Error(`PLAY: ${play.status}`);
    return session;
  }

  #takeOne(): boolean {
    const bytes = this.#received;
    if (bytes.length < 4) return false;
    if (bytes[0] === 0x24) {
      const end = 4 + bytes.readUInt16BE(2);
      if (bytes.length < end) return false;
      const packet = bytes.subarray(4, end);
      if (bytes[1] === 1) this.control.push(packet);
      else this.packets.push(parseRtp(packet));
      this.#received = bytes.subarray(end);
      return true;
    }
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd === -1) return false;
    const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
      }),
    );
    const end = headEnd + 4 + Number(headers.get('content-length') ?? '0');
    if (bytes.length < end) return false;
    const body = bytes.toString('utf8', headEnd + 4, end);
    this.#replies.push({ status: Number(first.split(' ')[1]), headers, body });
    this.#received = bytes.subarray(end);
    return true;
  }
}

export function parseRtp(packet: Buffer): RtpPacket {
  return {
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    isMarked: ((packet[1] ?? 0) & 0x80) !== 0,
    payload: packet.subarray(12),
  };
}

/** An `Authorization` header that answers the challenge of a 401. */
export function digestAnswer(
  challenge: string,
  method: string,
  uri: string,
  username: string,
  password: string,
): string {
  const [, realm = ''] = /realm="([^"]*)"/.exec(challenge) ?? [];
  const [, nonce = ''] = /nonce="([^"]*)"/.exec(challenge) ?? [];
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const secret = md5(`${username}:${realm}:${password}`);
  const response = md5(`${secret}:${nonce}:${md5(`${method}:${uri}`)}`);
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`;
}
