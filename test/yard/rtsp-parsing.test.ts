/** Property tests of what takes bytes from outside: the request reader and the access unit cutter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AccessUnitCutter,
  cutAccessUnits,
  hasBidirectionalSlices,
  type AccessUnit,
} from '../../src/yard/rtsp/annex-b.js';
import {
  bodyBytesMax,
  headBytesMax,
  headersMax,
  RequestReader,
  type ClientItem,
} from '../../src/yard/rtsp/requests.js';
import { payloadBytesMax, RtpStream } from '../../src/yard/rtsp/rtp.js';
import { parseRtp, testStream } from './rtsp-helpers.js';

/** The same bytes in pieces of the given lengths, the rest as one piece. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (const length of lengths) {
    parts.push(bytes.subarray(from, from + length));
    from += length;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

function readAll(parts: readonly Buffer[]): ClientItem[] {
  const reader = new RequestReader();
  return parts.flatMap((part) => reader.push(part));
}

const request = (head: string): Buffer => Buffer.from(`${head}\r\n\r\n`, 'latin1');

describe('the request reader', () => {
  const dialogue = Buffer.concat([
    request('OPTIONS * RTSP/1.0\r\nCSeq: 1'),
    Buffer.from([0x24, 1, 0, 4, 1, 2, 3, 4]),
    Buffer.from('\r\nGET_PARAMETER rtsp://h/a RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc'),
    request('PLAY rtsp://h/a RTSP/1.0\r\ncseq:3\r\nSession:  x \r\nAccept: a\r\nAccept: b'),
  ]);

  it('takes requests, bodies and interleaved packets as they come', () => {
    const [options, packet, get, play, ...rest] = readAll([dialogue]);
    expect(rest).toEqual([]);
    expect(options).toMatchObject({ kind: 'request', method: 'OPTIONS', uri: '*' });
    expect(packet).toEqual({ kind: 'interleaved', channel: 1, payload: Buffer.from([1, 2, 3, 4]) });
    expect(get).toMatchObject({ method: 'GET_PARAMETER', body: Buffer.from('abc') });
    expect(play?.kind === 'request' ? [...play.headers] : []).toEqual([
      ['cseq', '3'],
      ['session', 'x'],
      ['accept', 'a, b'],
    ]);
  });

  it('reads the same from any chunking', () => {
    const whole = readAll([dialogue]);
    fc.assert(
      fc.property(fc.array(fc.nat(40)), (lengths) => {
        expect(readAll(pieces(dialogue, lengths))).toEqual(whole);
      }),
    );
  });

  it('throws on no input, whatever it is', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('OPTIONS * RTSP/1.0', 'CSeq: 1', 'Content-Length: 99999999', '$', ' folded'),
    );
    const text = fc.array(line).map((lines) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        fc.array(fc.nat(20)),
        (bytes, lengths) => {
          const items = readAll(pieces(bytes, lengths));
          expect(items.filter(({ kind }) => kind === 'malformed').length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it.each([
    ['no request line', 'hello', 400],
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1', 505],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x', 400],
    ['no CSeq', 'OPTIONS * RTSP/1.0', 400],
    ['two CSeq', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2', 400],
    ['a folded header', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n x', 400],
    ['a control character', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nA: b\0c', 400],
    ['a negative length', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1', 400],
    ['a huge body', `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${bodyBytesMax + 1}`, 413],
    ['too many headers', `OPTIONS * RTSP/1.0${'\r\nA: b'.repeat(headersMax + 1)}`, 413],
    ['a head without end', 'A'.repeat(headBytesMax + 1), 413],
  ])('refuses %s', (_name, head, status) => {
    expect(readAll([request(head)])).toEqual([{ kind: 'malformed', status }]);
  });
});

describe('the access unit cutter', () => {
  /** Bodies that hold no start code and do not end in zeros, as NAL units must be. */
  const nal = fc
    .tuple(fc.constantFrom(1, 5, 6, 7, 8, 9, 12), fc.boolean(), fc.uint8Array({ maxLength: 30 }))
    .map(([type, isFirst, body]) =>
      Buffer.from([0x60 | type, isFirst ? 0x80 : 0x40, ...body.map((byte) => byte | 4)]),
    );
  const stream = fc
    .array(fc.tuple(nal, fc.nat(3)))
    .map((nals) =>
      Buffer.concat(
        nals.flatMap(([body, zeros]) => [Buffer.alloc(zeros), Buffer.from([0, 0, 1]), body]),
      ),
    );

  it('cuts the same from any chunking', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(12)), (bytes, lengths) => {
        const cutter = new AccessUnitCutter();
        const units = pieces(bytes, lengths).flatMap((part) => cutter.push(part));
        expect([...units, ...cutter.flush()]).toEqual(cutAccessUnits(bytes));
      }),
    );
  });

  it('throws only on endless bytes without a start code', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const cutter = new AccessUnitCutter();
        for (const chunk of chunks) cutter.push(Buffer.from(chunk));
        cutter.flush();
      }),
    );
    const cutter = new AccessUnitCutter();
    cutter.push(Buffer.from([0, 0, 1, 5]));
    expect(() => {
      for (let i = 0; i < 9; i += 1) cutter.push(Buffer.alloc(1024 * 1024, 7));
    }).toThrow(RangeError);
  });

  it('finds each picture of a real stream, several slices each', () => {
    const bytes = testStream(2, '320x180', ['-threads', '3']);
    const units = cutAccessUnits(bytes);
    const slices = ({ nals }: AccessUnit): number =>
      nals.filter((it) => [1, 5].includes((it[0] ?? 0) & 0x1f)).length;
    expect(units.map(slices)).toEqual(Array.from({ length: 32 }, () => 3));
    expect(units.flatMap(({ isKey }, i) => (isKey ? [i] : []))).toEqual([0, 16]);
  });

  it('tells B pictures from none', () => {
    expect(hasBidirectionalSlices(cutAccessUnits(testStream(1)))).toBe(false);
    const withB = testStream(1, '320x180', ['-tune', 'film', '-preset', 'veryfast', '-bf', '2']);
    expect(hasBidirectionalSlices(cutAccessUnits(withB))).toBe(true);
  });
});

describe('the packetiser', () => {
  it('fragments long NAL units so that they can be put together again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 6000 }), { minLength: 1, maxLength: 5 }),
        (lengths) => {
          const nals = lengths.map((length, i) => {
            const bytes = Buffer.alloc(length, i + 1);
            bytes[0] = 0x65;
            return bytes;
          });
          const packets = new RtpStream(96).packetise(nals, 1).map(parseRtp);
          expect(packets.every(({ payload }) => payload.length <= payloadBytesMax)).toBe(true);
          expect(packets.map(({ isMarked }) => isMarked)).toEqual(
            packets.map((_, i) => i === packets.length - 1),
          );
          expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
          expect(joinFragments(packets.map(({ payload }) => payload))).toEqual(nals);
        },
      ),
    );
  });
});

/** RFC 6184 from the receiver's side. */
function joinFragments(payloads: readonly Buffer[]): Buffer[] {
  const nals: Buffer[] = [];
  for (const payload of payloads) {
    const [indicator = 0, header = 0] = payload;
    if ((indicator & 0x1f) !== 28) nals.push(payload);
    else if ((header & 0x80) !== 0) {
      const first = Buffer.from([(indicator & 0xe0) | (header & 0x1f)]);
      nals.push(Buffer.concat([first, payload.subarray(2)]));
    } else {
      nals.push(Buffer.concat([nals.pop() ?? Buffer.alloc(0), payload.subarray(2)]));
    }
  }
  return nals;
}
