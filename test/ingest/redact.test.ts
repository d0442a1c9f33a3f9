import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactAddresses, redactor } from '../../src/ingest/redact.js';

const secret = 'S3cr@t:/P#w?%';
const encoded = 'S3cr%40t%3A%2FP%23w%3F%25';
const lower = 'S3cr%40t%3a%2fP%23w%3f%25';
const twice = 'S3cr%2540t%253A%252FP%2523w%253F%2525';

const leaks = [
  // Addresses.
  `rtsp://bob:${secret}@cam/live`,
  `rtsp://bob:${encoded}@cam/live`,
  `rtsp://bob:${lower}@cam/live`,
  `rtsp://bob:${twice}@cam/live`,
  `rtsps://bob:${secret}@cam:322/live`,
  `RTSP://BOB:${secret}@CAM/live`,
  `rtsp://:${secret}@cam/live`,
  `rtsp://${secret}@cam/live`,
  `rtsp://${encoded}@cam/live`,
  `rtsp://bob:${secret}@[fe80::1%25eth0]:554/live`,
  `rtsp://bob:${secret}@[2001:db8::7]/live`,
  `rtsp://bob:${secret}@10.0.0.7:554/Streaming/Channels/101`,
  `rtsp://bob:${secret}@cam`,
  `rtsp://bob:${secret}@cam/live?transport=tcp`,
  `rtsp://bob:${secret}@cam/live#fragment`,
  `http://bob:${secret}@cam/snapshot.jpg`,
  `https://bob:${encoded}@cam/snapshot.jpg`,
  `ws://bob:${secret}@127.0.0.1:9222`,
  `nats://bob:${secret}@127.0.0.1:4222`,
  `rtmp://bob:${secret}@cam/app`,
  `file:rtsp://bob:${secret}@cam/live`,
  `"rtsp://bob:${secret}@cam/live"`,
  `'rtsp://bob:${encoded}@cam/live'`,
  `<rtsp://bob:${encoded}@cam/live>`,
  `(rtsp://bob:${encoded}@cam/live)`,
  `{"url":"rtsp://bob:${encoded}@cam/live","x":1}`,
  `{"url":"rtsp:\\/\\/bob:${encoded}@cam\\/live"}`,
  `rtsp://a:${secret}@one rtsp://b:${secret}@two`,
  `rtsp://a:${secret}@one,rtsp://b:${secret}@two`,
  `rtsp://a:${secret}@one|rtsp://b:${secret}@two`,
  `concat:rtsp://a:${secret}@one|rtsp://b:${secret}@two`,
  // Queries and paths.
  `rtsp://cam/live?user=bob&password=${encoded}`,
  `rtsp://cam/live?user=bob&pwd=${encoded}`,
  `rtsp://cam/live?password=${secret}&user=bob`,
  `rtsp://cam/live?user=bob&PASSWORD=${encoded}`,
  `rtsp://cam/live?user=bob&passwd=${encoded}`,
  `rtsp://cam/live?usr=bob&pass=${encoded}&channel=1`,
  `http://cam/cgi?token=${encoded}`,
  `rtsp://cam:554/user=bob_password=${encoded}_channel=1_stream=0.sdp`,
  `rtsp://cam:554/user=bob&password=${encoded}&channel=1&stream=0.sdp?`,
  // Sentences of ffmpeg and of others.
  `[error] rtsp://bob:${encoded}@cam/live: Connection refused`,
  `[error] rtsp://bob:${encoded}@cam/live: Server returned 401 Unauthorized (authorization failed)`,
  `Error opening input file rtsp://bob:${encoded}@cam/live.`,
  `Error opening input: Invalid data found when processing input: rtsp://bob:${encoded}@cam/live`,
  `rtsp://bob:${encoded}@cam/live: No such file. Did you mean file:rtsp://bob:${encoded}@cam/live?`,
  `[info] Input #0, rtsp, from 'rtsp://bob:${encoded}@cam/live':`,
  `Unable to open resource: rtsp://bob:${encoded}@cam/live`,
  `spawn ffmpeg -nostdin -rtsp_transport tcp -i rtsp://bob:${encoded}@cam/live -f rawvideo pipe:1`,
  `Redirecting to rtsp://bob:${encoded}@other/live`,
  `connect to rtsp://bob:${secret}@cam/live failed, next try in 5 s`,
  // The value alone.
  secret,
  encoded,
  lower,
  twice,
  `password: ${secret}`,
  `login bob / ${secret} refused`,
  `the value "${secret}" is not allowed`,
  `--password ${encoded}`,
  `LOOKAHEAD_GATE_PASSWORD=${secret}`,
  `x${secret}y`,
  `x${encoded}y${secret}z`,
  `Authorization: Basic Ym9iOlMzY3JAdA==`,
];

describe('redactor with a known secret', () => {
  const redact = redactor([secret]);

  it.each(leaks)('leaves nothing of the secret in: %s', (text) => {
    const clean = redact(text);
    for (const form of [secret, encoded, lower, twice, 'S3cr', 'Ym9iOlMzY3JAdA']) {
      expect(clean).not.toContain(form);
    }
    expect(clean).toContain('***');
  });

  it('keeps the rest of the sentence', () => {
    expect(redact(`[error] rtsp://bob:${encoded}@cam/live: Connection refused`)).toBe(
      '[error] rtsp://***@cam/live: Connection refused',
    );
    expect(redact('frame=  25 fps=8 q=-0.0')).toBe('frame=  25 fps=8 q=-0.0');
    expect(redact('rtsp://cam/live?channel=1')).toBe('rtsp://cam/live?channel=1');
  });
});

describe('redactor without known secrets', () => {
  it.each([
    ['rtsp://bob:hunter2@cam/live', 'rtsp://***@cam/live'],
    ['rtsp://bob:hun/t@er2@cam/live', 'rtsp://***@cam/live'],
    ['rtsp://cam/live?user=bob&password=hunter2&x=1', 'rtsp://cam/live?user=bob&password=***&x=1'],
    ['rtsp://cam/live?pwd=hunter2', 'rtsp://cam/live?pwd=***'],
  ])('hides the login of %s', (text, clean) => {
    expect(redactAddresses(text)).toBe(clean);
  });
});

describe('a short secret', () => {
  it('is hidden where it stands alone, and not spelled out by holes in other words', () => {
    const redact = redactor(['7']);
    expect(redact('password 7, 17 frames')).toBe('password ***, 17 frames');
  });
});

const character = fc.oneof(
  fc.constantFrom(...Array.from('@:/#?%&=+ "\'\\$^*()[]{}|.-_~!,;<>`')),
  fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
);
const anySecret = fc
  .array(character, { minLength: 4, maxLength: 20 })
  .map((characters) => characters.join(''))
  .filter((text) => !text.includes('**') && !text.includes('='));

/** Each character raw or percent-encoded, in either case. */
const mixed = (text: string, choices: readonly number[]): string =>
  Array.from(text, (one, index) => {
    const choice = choices[index % choices.length] ?? 0;
    if (choice === 0) return one;
    const escaped = Array.from(Buffer.from(one), (b) => `%${b.toString(16).padStart(2, '0')}`);
    return choice === 1 ? escaped.join('') : escaped.join('').toUpperCase();
  }).join('');

describe('any secret', () => {
  it('is hidden in any mix of encodings, anywhere in any text', () => {
    fc.assert(
      fc.property(
        anySecret,
        fc.array(fc.nat(2), { minLength: 1, maxLength: 20 }),
        fc.string({ maxLength: 30 }),
        fc.string({ maxLength: 30 }),
        (value, choices, before, after) => {
          const form = mixed(value, choices);
          const clean = redactor([value])(`${before}${form}${after}`);
          expect(clean.includes(form)).toBe(before.includes(form) || after.includes(form));
        },
      ),
    );
  });

  it('does not disturb texts that hold no secret', () => {
    fc.assert(
      fc.property(anySecret, fc.stringMatching(/^[0-9 ]{0,60}$/), (value, text) => {
        fc.pre(!text.includes(value));
        expect(redactor([value])(text)).toBe(text);
      }),
    );
  });
});
