/** The RTSP server against real readers: ffmpeg, and a bare client that sees each packet. */
import { spawnSync } from 'node:child_process';
import { readFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openRecording } from '../../src/yard/recording.js';
import { cutAccessUnits } from '../../src/yard/rtsp/annex-b.js';
import type { RtspServer } from '../../src/yard/rtsp-server.js';
import {
  digestAnswer,
  ffmpegPath,
  liveArgs,
  serverForTest,
  spawnForTest,
  testStream,
  TestClient,
  until,
  watch,
  type Watched,
} from './rtsp-helpers.js';

const framesPerSecond = 16;
const credentials = { username: 'gate', password: 'open "sesame"' };
let annexB: Buffer;

beforeAll(() => {
  annexB = testStream(2);
});

function mountLoop(server: RtspServer, name = 'loop') {
  return server.mountRecording(name, { annexB, framesPerSecond });
}

function expectSteadyPictures(watched: Watched, size: string, count: number): void {
  expect(watched.size, watched.stderr).toBe(size);
  expect(watched.times).toHaveLength(count);
  const gaps = watched.times.slice(1).map((time, i) => time - (watched.times[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(0);
  expect(watched.stderr).not.toMatch(/error while decoding|missed|corrupt|non-existing/);
}

describe('a recording', () => {
  it.each(['tcp', 'udp'] as const)(
    'gives exact pictures in order over %s, also over its end',
    async (transport) => {
      const server = await serverForTest();
      mountLoop(server);
      const watched = await watch(server.url('loop'), transport, 80);
      expectSteadyPictures(watched, '320x180', 80);
      const lengthS = (watched.times.at(-1) ?? 0) - (watched.times[0] ?? 0);
      expect(lengthS).toBeCloseTo(79 / framesPerSecond, 2);
      // The third round shows what the first showed, bit by bit: nothing is lost and nothing repeated.
      expect(watched.checksums.slice(64)).toEqual(watched.checksums.slice(0, 16));
      expect(new Set(watched.checksums.slice(0, 32)).size).toBe(32);
    },
  );

  it('has an RTP clock and sequence numbers that run on over the loop', async () => {
    const server = await serverForTest();
    mountLoop(server);
    const client = await TestClient.open(server.url('loop'));
    await client.play();
    const pictures = () => client.packets.filter(({ isMarked }) => isMarked);
    await until('70 pictures', () => pictures().length >= 70);
    const [first] = client.packets;
    expect((first?.payload[0] ?? 0) & 0x1f, 'starts with the parameter sets').toBe(7);
    const steps = pictures().map(
      ({ timestamp }, i, all) => (timestamp - (all[i - 1]?.timestamp ?? 0)) >>> 0,
    );
    expect(new Set(steps.slice(1))).toEqual(new Set([90_000 / framesPerSecond]));
    const holes = client.packets.filter(
      ({ sequence }, i, all) => i > 0 && sequence !== (((all[i - 1]?.sequence ?? 0) + 1) & 0xffff),
    );
    expect(holes).toEqual([]);
  });

  it('keeps time by the clock, so that ten seconds take ten seconds', async () => {
    const server = await serverForTest();
    mountLoop(server);
    const client = await TestClient.open(server.url('loop'));
    await client.play();
    await until('a picture', () => client.packets.length > 0);
    const from = performance.now();
    const before = client.packets.filter(({ isMarked }) => isMarked).length;
    await delay(4000);
    const elapsedS = (performance.now() - from) / 1000;
    const shown = client.packets.filter(({ isMarked }) => isMarked).length - before;
    expect(Math.abs(shown - elapsedS * framesPerSecond)).toBeLessThan(framesPerSecond);
  });

  it('is refused when there is nothing to play', async () => {
    const server = await serverForTest();
    const empty = { annexB: Buffer.from('no video'), framesPerSecond };
    expect(() => server.mountRecording('empty', empty)).toThrow(/no H.264 key picture/);
  });
});

describe('a live camera', () => {
  it.each(['tcp', 'udp'] as const)('gives what the encoder writes, over %s', async (transport) => {
    const server = await serverForTest();
    const mount = server.mountLive('live', { framesPerSecond });
    const child = spawnForTest(ffmpegPath(), [...liveArgs(), '-f', 'h264', 'pipe:1']);
    child.stdout?.on('data', (chunk: Buffer) => {
      mount.write(chunk);
    });
    // The reader is there before the first picture: DESCRIBE waits for the parameter sets.
    expectSteadyPictures(await watch(server.url('live'), transport, 40), '320x180', 40);
  });

  it('answers 503 when its encoder never starts', async () => {
    const server = await serverForTest();
    server.mountLive('dark', { framesPerSecond });
    const client = await TestClient.open(server.url('dark'));
    expect((await client.request('DESCRIBE')).status).toBe(503);
  });
});

describe('many readers', () => {
  it('serves three at once, over TCP and UDP, from two cameras', async () => {
    const server = await serverForTest();
    mountLoop(server);
    server.mountRecording('wide', { annexB: testStream(1, '640x360'), framesPerSecond });
    const [first, second, third] = await Promise.all([
      watch(server.url('loop'), 'tcp', 32),
      watch(server.url('loop'), 'udp', 32),
      watch(server.url('wide'), 'udp', 32),
    ]);
    expectSteadyPictures(first, '320x180', 32);
    expectSteadyPictures(second, '320x180', 32);
    expectSteadyPictures(third, '640x360', 32);
    await until('all left', () => server.readers('loop') + server.readers('wide') === 0);
  });

  it('drops pictures of a reader that does not read, up to a key picture, and no other', async () => {
    const server = await serverForTest();
    // Noise does not compress: some megabytes a second.
    const noise = ['-vf', 'noise=alls=100:allf=t', '-qp', '14'];
    const mount = server.mountRecording('heavy', {
      annexB: testStream(2, '640x360', noise),
      framesPerSecond,
    });
    const [slow, quick] = [
      await TestClient.open(server.url('heavy')),
      await TestClient.open(server.url('heavy')),
    ];
    await slow.play();
    await quick.play();
    slow.pause();
    await until('drops', () => mount.counts.picturesDropped > 0);
    slow.resume();
    const hole = () =>
      slow.packets.findIndex(
        ({ sequence }, i, all) =>
          i > 0 && sequence !== (((all[i - 1]?.sequence ?? 0) + 1) & 0xffff),
      );
    await until('pictures after the hole', () => hole() > 0);
    expect((slow.packets[hole()]?.payload[0] ?? 0) & 0x1f, 'goes on at a key picture').toBe(7);
    expect(slow.packets[hole() - 1]?.isMarked, 'stops behind a whole picture').toBe(true);
    const isWhole = quick.packets.every(
      ({ sequence }, i, all) =>
        i === 0 || sequence === (((all[i - 1]?.sequence ?? 0) + 1) & 0xffff),
    );
    expect(isWhole).toBe(true);
  });
});

describe('a relay', () => {
  it.each([
    [
      'H.265',
      'tcp',
      [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=none:keyint=8:bframes=0:repeat-headers=1',
      ],
    ],
    [
      'H.265',
      'udp',
      [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=none:keyint=8:bframes=0:repeat-headers=1',
      ],
    ],
    [
      'MJPEG',
      'tcp',
      [
        '-c:v',
        'mjpeg',
        '-huffman',
        'default',
        '-force_duplicated_matrix',
        '1',
        '-pix_fmt',
        'yuvj420p',
      ],
    ],
    [
      'MJPEG',
      'udp',
      [
        '-c:v',
        'mjpeg',
        '-huffman',
        'default',
        '-force_duplicated_matrix',
        '1',
        '-pix_fmt',
        'yuvj420p',
      ],
    ],
  ] as const)('passes on %s from ffmpeg, over %s', async (_codec, transport, encoder) => {
    const folder = mkdtempSync(join(tmpdir(), 'lookahead-rtsp-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const server = await serverForTest();
    const relay = await server.mountRelay('relay');
    const file = join(folder, 'relay.sdp');
    const source = ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x176:rate=16'];
    const output = ['-f', 'rtp', '-sdp_file', file, `rtp://127.0.0.1:${relay.port}?pkt_size=1200`];
    spawnForTest(ffmpegPath(), [...source, ...encoder, ...output]);
    await until(
      'the SDP',
      () => existsSync(file) && readFileSync(file, 'utf8').includes('m=video'),
    );
    relay.useSdp(readFileSync(file, 'utf8'));
    const watched = await watch(server.url('relay'), transport, 20);
    expect(watched.size, watched.stderr).toBe('320x176');
    expect(watched.times).toHaveLength(20);
  });
});

describe('the protocol', () => {
  it('answers what a reader asks, and 404, 454, 455, 461, 501 where it must', async () => {
    const server = await serverForTest();
    mountLoop(server);
    const client = await TestClient.open(server.url('loop'));
    const options = await client.request('OPTIONS', {}, '*');
    expect(options.headers.get('public')).toContain('GET_PARAMETER');
    const { body, headers } = await client.request('DESCRIBE');
    expect(headers.get('content-type')).toBe('application/sdp');
    expect(body).toMatch(/^v=0\r\n/);
    expect(body).toMatch(/a=rtpmap:96 H264\/90000\r\n/);
    expect(body).toMatch(/sprop-parameter-sets=Z[\w+/=]+,a[\w+/=]+\r\n/);
    expect((await client.request('DESCRIBE', {}, server.url('nobody'))).status).toBe(404);
    expect((await client.request('DESCRIBE', {}, 'http://x/loop')).status).toBe(400);
    expect((await client.request('RECORD')).status).toBe(501);
    expect((await client.request('PLAY')).status).toBe(454);
    expect((await client.request('PLAY', { Session: 'guess' })).status).toBe(454);
    for (const Transport of [
      'RTP/AVP;multicast',
      'RTP/AVP;unicast',
      'RTP/AVP;unicast;client_port=80-81',
      'RTP/SAVP;unicast;client_port=5000-5001',
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record',
    ]) {
      expect((await client.request('SETUP', { Transport })).status, Transport).toBe(461);
    }
    const Session = await client.play();
    expect(server.readers('loop')).toBe(1);
    const again = { Session, Transport: 'RTP/AVP/TCP;interleaved=2-3' };
    expect((await client.request('SETUP', again)).status).toBe(455);
    expect((await client.request('GET_PARAMETER', { Session })).status).toBe(200);
    expect((await client.request('PAUSE', { Session })).status).toBe(200);
    expect(server.readers('loop')).toBe(0);
    expect((await client.request('PLAY', { Session })).status).toBe(200);
    expect((await client.request('TEARDOWN', { Session })).status).toBe(200);
    expect((await client.request('PLAY', { Session })).status).toBe(454);
    expect(server.readers('loop')).toBe(0);
  });

  it('sends sender reports that tie the RTP clock to the wall clock', async () => {
    const server = await serverForTest();
    mountLoop(server);
    const client = await TestClient.open(server.url('loop'));
    await client.play();
    await until('two reports', () => client.control.length >= 2, 20_000);
    for (const report of client.control) {
      expect([...report.subarray(0, 4)]).toEqual([0x80, 200, 0, 6]);
      expect([...report.subarray(28, 30)], 'with a source description').toEqual([0x81, 202]);
      const wallS = report.readUInt32BE(8) - 2_208_988_800;
      expect(Math.abs(wallS - Date.now() / 1000)).toBeLessThan(30);
    }
    const [first, second] = client.control.map((report) => ({
      wallS: report.readUInt32BE(8) + report.readUInt32BE(12) / 2 ** 32,
      rtp: report.readUInt32BE(16),
      packets: report.readUInt32BE(20),
    }));
    if (first === undefined || second === undefined) throw new Error('no reports');
    const rtpS = ((second.rtp - first.rtp) >>> 0) / 90_000;
    expect(rtpS).toBeCloseTo(second.wallS - first.wallS, 1);
    expect(second.packets).toBeGreaterThan(first.packets);
  });

  it('cuts off who is silent, and lets stay who asks now and then', async () => {
    const server = await serverForTest({ sessionTimeoutMs: 1500 });
    mountLoop(server);
    const [silent, alive] = [
      await TestClient.open(server.url('loop')),
      await TestClient.open(server.url('loop')),
    ];
    await silent.play();
    const Session = await alive.play();
    await until('the silent one is cut off', async () => {
      await alive.request('GET_PARAMETER', { Session });
      return silent.isClosed;
    });
    expect(alive.isClosed).toBe(false);
    expect(server.readers('loop')).toBe(1);
  });

  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['an endless head', `OPTIONS * RTSP/1.0\r\n${'A: b\r\n'.repeat(5000)}`, 413],
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
  ])('answers %s with an error, closes, and serves the next', async (_name, bytes, status) => {
    const server = await serverForTest();
    mountLoop(server);
    const client = await TestClient.open(server.url('loop'));
    client.raw(bytes);
    expect((await client.reply()).status).toBe(status);
    await until('closed', () => client.isClosed);
    const next = await TestClient.open(server.url('loop'));
    expect((await next.request('DESCRIBE')).status).toBe(200);
  });
});

describe('the login', () => {
  const withLogin = (server: RtspServer): string => {
    const { username, password } = credentials;
    const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
    return server.url('shut').replace('rtsp://', `rtsp://${login}`);
  };
  const shut = async () => {
    const server = await serverForTest();
    mountLoop(server, 'open');
    const mount = server.mountRecording('shut', { annexB, framesPerSecond, credentials });
    return { server, mount };
  };

  it.each(['tcp', 'udp'] as const)('lets in who knows the password, over %s', async (transport) => {
    const { server } = await shut();
    expectSteadyPictures(await watch(withLogin(server), transport, 5), '320x180', 5);
  });

  it('refuses no password, a wrong one and Basic', async () => {
    const { server } = await shut();
    const wrong = withLogin(server).replace('sesame', 'barley');
    for (const url of [server.url('shut'), wrong]) {
      const watched = await watch(url, 'tcp', 1);
      expect(watched.times).toEqual([]);
      expect(watched.stderr).toContain('401 Unauthorized');
    }
    const client = await TestClient.open(server.url('shut'));
    const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    const reply = await client.request('DESCRIBE', { Authorization: `Basic ${basic}` });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Digest /);
  });

  it('takes no answer made for another method or camera, and asks at every step', async () => {
    const { server } = await shut();
    const client = await TestClient.open(server.url('shut'));
    const challenge = (await client.request('DESCRIBE')).headers.get('www-authenticate') ?? '';
    const answer = (method: string, uri: string) => ({
      Authorization: digestAnswer(challenge, method, uri, 'gate', 'simple'),
    });
    server.mountRecording('plain', {
      annexB,
      framesPerSecond,
      credentials: { username: 'gate', password: 'simple' },
    });
    const uri = server.url('plain');
    expect((await client.request('DESCRIBE', answer('DESCRIBE', uri), uri)).status).toBe(200);
    expect((await client.request('DESCRIBE', answer('SETUP', uri), uri)).status).toBe(401);
    const other = server.url('shut');
    expect((await client.request('DESCRIBE', answer('DESCRIBE', other), uri)).status).toBe(401);
    expect((await client.request('SETUP', {}, uri)).status).toBe(401);
    expect((await client.request('PLAY', { Session: 'x' }, uri)).status).toBe(401);
  });

  it('can be told to refuse even the right password', async () => {
    const { server, mount } = await shut();
    mount.refuseLogin(true);
    expect((await watch(withLogin(server), 'tcp', 1)).stderr).toContain('401 Unauthorized');
    mount.refuseLogin(false);
    expectSteadyPictures(await watch(withLogin(server), 'tcp', 3), '320x180', 3);
  });

  it('ends a connection that only guesses', async () => {
    const { server } = await shut();
    const client = await TestClient.open(server.url('shut'));
    await until('closed', async () => {
      if (client.isClosed) return true;
      await client
        .request('DESCRIBE', { Authorization: 'Digest username="gate"' })
        .catch(() => undefined);
      return client.isClosed;
    });
    expect((await watch(server.url('open'), 'tcp', 1)).times).toHaveLength(1);
  });
});

describe('the faults', () => {
  const playing = async (server: RtspServer): Promise<TestClient> => {
    const client = await TestClient.open(server.url('loop'));
    await client.play();
    await until('pictures', () => client.packets.length > 0);
    return client;
  };

  it('stall sends nothing but keeps the connection, then goes on at a key picture', async () => {
    const server = await serverForTest();
    const mount = mountLoop(server);
    const client = await playing(server);
    mount.stall(Infinity);
    await delay(50);
    const before = client.packets.length;
    await delay(1000);
    expect(client.packets).toHaveLength(before);
    expect((await client.request('OPTIONS')).status).toBe(200);
    mount.stall(0);
    await until('pictures again', () => client.packets.length > before);
    expect((client.packets[before]?.payload[0] ?? 0) & 0x1f).toBe(7);
    mount.stall(300);
    await delay(50);
    const then = client.packets.length;
    await until('it ends by itself', () => client.packets.length > then);
  });

  it('loses the asked share of the packets, the same ones for the same seed', async () => {
    const lost: (readonly number[])[] = [];
    for (let round = 0; round < 2; round += 1) {
      const server = await serverForTest();
      const mount = mountLoop(server);
      mount.lossShare(0.25, 7);
      const client = await playing(server);
      await until('packets', () => client.packets.length > 150);
      const first = client.packets[0]?.sequence ?? 0;
      lost.push(client.packets.slice(0, 100).map(({ sequence }) => (sequence - first) & 0xffff));
      const sent = client.packets.length + mount.counts.packetsLost;
      expect(mount.counts.packetsLost / sent).toBeGreaterThan(0.1);
      expect(mount.counts.packetsLost / sent).toBeLessThan(0.4);
    }
    expect(lost[0]).toEqual(lost[1]);
  });

  it('disconnects who reads, who may come back', async () => {
    const server = await serverForTest();
    const mount = mountLoop(server);
    const client = await playing(server);
    mount.disconnectReaders();
    await until('closed', () => client.isClosed);
    await until('no reader', () => server.readers('loop') === 0);
    await playing(server);
  });

  it('freezes: pictures still come, all the same, until it thaws', async () => {
    const server = await serverForTest();
    const mount = mountLoop(server);
    mount.freeze();
    const frozen = await watch(server.url('loop'), 'tcp', 24);
    expectSteadyPictures(frozen, '320x180', 24);
    expect(new Set(frozen.checksums).size).toBe(1);
    mount.freeze(false);
    const thawed = await watch(server.url('loop'), 'tcp', 24);
    expect(new Set(thawed.checksums).size).toBe(24);
  });

  it('a closed server ends its readers and leaves no socket or timer behind', async () => {
    const server = await serverForTest();
    mountLoop(server);
    await server.mountRelay('relay');
    const client = await playing(server);
    await server.close();
    await until('closed', () => client.isClosed);
    const resources = () =>
      process.getActiveResourcesInfo().filter((it) => /TCP|UDP|Timeout/.test(it));
    await until(`nothing is left`, () => !resources().some((it) => /UDP|TCPServer/.test(it)));
    // The port is free again at once.
    await serverForTest({ port: server.port });
  });
});

describe('recorded camera files', () => {
  const folder = fileURLToPath(new URL('../../../shared/data/video', import.meta.url));
  it.each([
    ['car-detection.mp4', 12.5, false],
    ['one-by-one-person-detection.mp4', 10, true],
  ])('%s is served and read, over TCP and UDP', async (name, rate, isTranscoded) => {
    const path = join(folder, name);
    if (!existsSync(path)) {
      process.stdout.write(`skipped: there is no ${name} beside the repository\n`);
      return;
    }
    const recording = await openRecording(ffmpegPath(), path);
    expect(recording.framesPerSecond).toBe(rate);
    // Its pictures are out of order (B pictures) or its own are served.
    expect(recording.isTranscoded).toBe(isTranscoded);
    const server = await serverForTest();
    server.mountRecording('file', recording);
    const url = server.url('file');
    const [tcp, udp] = await Promise.all([watch(url, 'tcp', 30), watch(url, 'udp', 30)]);
    expectSteadyPictures(tcp, '768x432', 30);
    expectSteadyPictures(udp, '768x432', 30);
  });
});

describe('a second RTSP implementation', () => {
  const hasGstreamer = ['rtspsrc', 'rtph264depay'].every(
    (it) => spawnSync('gst-inspect-1.0', ['--exists', it]).status === 0,
  );
  it.each(['tcp', 'udp'] as const)(
    'GStreamer reads the same pictures, over %s',
    async (transport) => {
      if (!hasGstreamer) {
        process.stdout.write('skipped: GStreamer with rtspsrc is not installed\n');
        return;
      }
      const server = await serverForTest();
      mountLoop(server);
      const source = ['rtspsrc', `location=${server.url('loop')}`, `protocols=${transport}`];
      const parse = ['!', 'rtph264depay', '!'];
      const sink = ['video/x-h264,stream-format=byte-stream,alignment=au', '!', 'fdsink', 'fd=1'];
      const child = spawnForTest('gst-launch-1.0', ['-q', ...source, ...parse, ...sink]);
      let received: Buffer = Buffer.alloc(0);
      child.stdout?.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
      });
      const pictures = () =>
        cutAccessUnits(received).map(({ nals }) => nals.at(-1)?.toString('base64') ?? '');
      await until('40 pictures', () => pictures().length >= 40);
      const served = cutAccessUnits(annexB).map(
        ({ nals }) => nals.at(-1)?.toString('base64') ?? '',
      );
      const first = served.indexOf(pictures()[0] ?? '');
      expect(first).toBeGreaterThanOrEqual(0);
      const expected = Array.from({ length: 38 }, (_, i) => served[(first + i) % served.length]);
      expect(pictures().slice(0, 38)).toEqual(expected);
    },
  );
});
