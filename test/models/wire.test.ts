import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { float32, int64, sizeOf, uint8, type Tensor } from '../../src/models/tensor.js';
import {
  encodeMessage,
  MessageDecoder,
  messageBytesMax,
  protocolVersion,
  type OwnHeader,
} from '../../src/models/wire.js';

const perceive: OwnHeader = {
  kind: 'perceive',
  id: 7,
  camera: 'gate',
  epoch: 3,
  clip: 12,
  deadlineMs: 500,
  more: false,
  fromMs: 1000,
  toMs: 1875,
  picture: { x: 0, y: 3, width: 160, height: 90 },
  trackFloor: 4,
};

const tensors: fc.Arbitrary<Tensor> = fc
  .array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 })
  .chain((dims) => {
    const count = sizeOf(dims);
    const all = { minLength: count, maxLength: count };
    return fc.oneof(
      fc.array(fc.float({ noNaN: true }), all).map((v) => float32(dims, Float32Array.from(v))),
      fc.array(fc.integer({ min: 0, max: 255 }), all).map((v) => uint8(dims, Uint8Array.from(v))),
      fc.array(fc.integer(), all).map((v) => int64(dims, v)),
    );
  });
const messages = fc.record({
  header: fc.oneof(
    fc.constant<OwnHeader>({ kind: 'bye' }),
    fc.constant(perceive),
    fc.record({
      kind: fc.constant('error' as const),
      id: fc.oneof(fc.nat(), fc.constant(null)),
      code: fc.constant('model_failed' as const),
      message: fc.string({ unit: 'grapheme' }),
      remedy: fc.string(),
    }),
  ),
  tensors: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tensors, { maxKeys: 4 }),
});

describe('the socket protocol', () => {
  test('gives back every message, in whatever pieces its bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.array(messages, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 20 }),
        (sent, sizes) => {
          const bytes = Buffer.concat(sent.map((one) => encodeMessage(one.header, one.tensors)));
          const decoder = new MessageDecoder();
          const found = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            found.push(...decoder.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(found.map(({ header }) => header)).toMatchObject(sent.map(({ header }) => header));
          expect(found.map((one) => ({ ...one.tensors }))).toEqual(
            sent.map((one) => ({ ...one.tensors })),
          );
        },
      ),
    );
  });

  test('never throws anything but wire_invalid, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new MessageDecoder().push(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'wire_invalid' });
        }
      }),
    );
  });

  test('carries all that a scene tells of its things, and of the place', () => {
    const scene: OwnHeader = {
      kind: 'scene',
      id: 7,
      objects: [
        {
          track: 3,
          class: 'van',
          classProbability: 0.9,
          box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
          velocity: { x: 0.1, y: 0 },
          ageClips: 4,
          mask: { size: [1, 2], counts: [1, 1] },
          predictedIou: 0.75,
          attributes: { braking: 0.875, facing: -1 },
          looks: [
            { x: 0.2, y: 0.4 },
            { x: 0.25, y: 0.4 },
          ],
        },
      ],
      events: [{ label: 1, onsetMs: 1250, probability: 0.5, actors: [3], target: null }],
      faintEvents: [{ label: 2, onsetMs: 1300, probability: 0.0625 }],
      place: { gate: 0.5, rain: 0 },
      familiarity: 0.5,
      stagesMs: { backbone: 2 },
    };
    const [found] = new MessageDecoder().push(encodeMessage(scene));
    expect(found?.header).toEqual({ ...scene, v: protocolVersion, tensors: [] });
  });

  /** A message with this header text and body, whatever they are. */
  function raw(header: string, body = Buffer.alloc(0)): Buffer {
    const text = Buffer.from(header);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(4 + text.length + body.length, 0);
    lengths.writeUInt32LE(text.length, 4);
    return Buffer.concat([lengths, text, body]);
  }
  const tensor = (dims: number[], name = 'a') => ({ name, type: 'float32', dims });
  const v = protocolVersion;
  const bye = (...described: object[]) => JSON.stringify({ v, kind: 'bye', tensors: described });

  test.each<[string, Buffer]>([
    ['a header that is no JSON', raw('{')],
    ['a header that is no UTF-8', Buffer.of(6, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xfe)],
    ['another version', raw(JSON.stringify({ v: v + 1, kind: 'bye', tensors: [] }))],
    ['an unknown kind', raw(JSON.stringify({ v, kind: 'dance', tensors: [] }))],
    ['a missing field', raw(JSON.stringify({ v, kind: 'perceive', tensors: [] }))],
    ['bytes of no tensor', raw(bye(), Buffer.alloc(4))],
    ['a tensor that ends too early', raw(bye(tensor([2])), Buffer.alloc(4))],
    ['a shape of nonsense', raw(bye(tensor([-1])))],
    ['two tensors of one name', raw(bye(tensor([1]), tensor([1])), Buffer.alloc(8))],
    ['a header longer than its message', Buffer.of(4, 0, 0, 0, 200, 0, 0, 0)],
    ['a message that is too long', Buffer.of(255, 255, 255, 255, 2, 0, 0, 0)],
  ])('refuses %s', (_, bytes) => {
    expect(() => new MessageDecoder().push(bytes)).toThrow(
      expect.objectContaining({ code: 'wire_invalid' }),
    );
  });

  test('does not write a message that is too long', () => {
    const large = uint8([messageBytesMax], new Uint8Array(messageBytesMax));
    expect(() => encodeMessage({ kind: 'bye' }, { large })).toThrow(/too long/);
  });
});
