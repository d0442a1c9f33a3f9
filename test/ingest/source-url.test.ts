import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import { redactor } from '../../src/ingest/redact.js';
import { parseSource, type SourceOptions } from '../../src/ingest/source-url.js';

const rtsp = (address: string, options?: SourceOptions) => {
  const source = parseSource(address, options);
  if (source.kind !== 'rtsp') throw new Error(`${address} is a ${source.kind}`);
  return source;
};

const refusal = (address: string, options?: SourceOptions): LookaheadError => {
  try {
    parseSource(address, options);
  } catch (error) {
    if (error instanceof LookaheadError) return error;
    throw error;
  }
  throw new Error(`${address} was accepted`);
};

describe('an RTSP address', () => {
  it.each([
    ['rtsp://cam/live', 'rtsp://cam/live', []],
    ['rtsp://cam', 'rtsp://cam', []],
    ['RTSP://Cam:554/Live', 'rtsp://Cam:554/Live', []],
    ['rtsps://cam:322/live', 'rtsps://cam:322/live', []],
    ['rtsp://10.0.0.7:554/a?b=c&d=e', 'rtsp://10.0.0.7:554/a?b=c&d=e', []],
    ['rtsp://[2001:db8::7]:554/a', 'rtsp://[2001:db8::7]:554/a', []],
    ['rtsp://[fe80::1%25eth0]/a', 'rtsp://[fe80::1%25eth0]/a', []],
    ['rtsp://bob:pw@cam/live', 'rtsp://bob:pw@cam/live', ['pw']],
    ['rtsp://bob@cam/live', 'rtsp://bob:@cam/live', []],
    ['rtsp://bob:p@ss@cam/live', 'rtsp://bob:p%40ss@cam/live', ['p@ss']],
    ['rtsp://bob:p:ss@cam/live', 'rtsp://bob:p%3Ass@cam/live', ['p:ss']],
    ['rtsp://bob:p/ss@cam/live', 'rtsp://bob:p%2Fss@cam/live', ['p/ss']],
    ['rtsp://bob:p#ss@cam/live', 'rtsp://bob:p%23ss@cam/live', ['p#ss']],
    ['rtsp://bob:p?ss@cam/live', 'rtsp://bob:p%3Fss@cam/live', ['p?ss']],
    ['rtsp://bob:50%off@cam/live', 'rtsp://bob:50%25off@cam/live', ['50%off']],
    ['rtsp://bob:p%40ss@cam/live', 'rtsp://bob:p%40ss@cam/live', ['p@ss']],
    ['rtsp://bob:p%2fss%25@cam/live', 'rtsp://bob:p%2Fss%25@cam/live', ['p/ss%']],
    ['rtsp://bob:pä ss@cam/live', 'rtsp://bob:p%C3%A4%20ss@cam/live', ['pä ss']],
    ["rtsp://bob:^!*'()@cam/live", 'rtsp://bob:%5E%21%2A%27%28%29@cam/live', ["^!*'()"]],
  ])('%s goes to ffmpeg as %s', (address, url, secrets) => {
    expect(rtsp(address)).toMatchObject({ url, secrets });
  });

  it('takes the login from outside the address literally', () => {
    expect(rtsp('rtsp://cam/live', { username: 'bob', password: 'a%40b/@' })).toMatchObject({
      url: 'rtsp://bob:a%2540b%2F%40@cam/live',
      secrets: ['a%40b/@'],
    });
  });

  it('knows passwords in the query and in the path', () => {
    expect(rtsp('rtsp://cam/live?user=bob&password=p%40ss&x=1')).toMatchObject({
      display: 'rtsp://cam/live?user=bob&password=***&x=1',
      secrets: ['p%40ss', 'p@ss'],
    });
    expect(rtsp('rtsp://cam/user=bob_password=hunter2_channel=1').display).toBe(
      'rtsp://cam/user=bob_password=***',
    );
  });

  it.each([
    ['rtsp://cam/live', 'cam:554', false],
    ['rtsps://cam/live', 'cam:322', false],
    ['rtsp://bob:p@ss@cam:8554/live', 'cam:8554', true],
    ['rtsp://bob@[fe80::1]/live', '[fe80::1]:554', true],
    ['rtsp://[fe80::1]:5544', '[fe80::1]:5544', false],
  ])('%s is on %s, and says whether it holds a login', (address, host, hasLogin) => {
    expect(rtsp(address)).toMatchObject({ host, hasLogin });
  });

  it('shows no login', () => {
    expect(rtsp('rtsp://bob:p@ss@cam:554/live?x=1').display).toBe('rtsp://cam:554/live?x=1');
  });
});

describe('a file address', () => {
  it.each([
    ['file:a.mp4', 'a.mp4'],
    ['file:/data/a.mp4', '/data/a.mp4'],
    ['file:///data/a.mp4', '/data/a.mp4'],
    ['FILE:a b.mp4', 'a b.mp4'],
    ['file:-i', '-i'],
    ['file:concat:a|b', 'concat:a|b'],
    ['file:c@m%20.mp4', 'c@m%20.mp4'],
  ])('%s is the file %s', (address, path) => {
    expect(parseSource(address)).toMatchObject({ kind: 'file', path, url: `file:${path}` });
  });
});

describe('other addresses are refused', () => {
  it.each([
    '',
    ' ',
    'cam',
    'cam/live',
    '/etc/passwd',
    '-i',
    '-version',
    '--',
    ' rtsp://cam/live',
    'rtsp:cam',
    'rtsp:/cam/live',
    'rtsp://',
    'rtsp:///live',
    'rtsp://:554/live',
    'rtsp://@/live',
    'rtsp://bob:pw@/live',
    'rtsp://cam:0/live',
    'rtsp://cam:65536/live',
    'rtsp://cam:99999999/live',
    'rtsp://cam:-1/live',
    'rtsp://cam:554x/live',
    'rtsp://cam:/live',
    'rtsp://c am/live',
    'rtsp://cam/li ve',
    'rtsp://.cam/live',
    'rtsp://-cam/live',
    'rtsp://[::1/live',
    'rtsp://::1/live',
    'rtsp://[::g]/live',
    'rtsp://cam|other/live',
    'rtsp://cam\\other/live',
    'rtsp://c%61m/live',
    'rtsp://cam/a@b',
    'rtsp://bob:1/w@cam/live',
    'rtsp://u:p@ss/word@cam/live',
    'rtsp://bob:50%off%40@cam/live',
    'rtsp://bob:p@%41@cam/live',
    'rtsp://bob:%ff@cam/live',
    'rtsp://b%3Ab:pw@cam/live',
    'rtsp://bob:a%0d%0aX: y@cam/live',
    'rtsp://bob:a%00b@cam/live',
    'rtsp://cam/live\r\nX: y',
    'rtsp://cam/\u0000',
    'rtsp://cam/\u0085',
    'rtsp://cam/\u2028',
    'rtsp://cam/\ud800',
    'http://cam/live',
    'https://cam/live',
    'rtmp://cam/live',
    'srt://cam/live',
    'udp://cam:5000',
    'tcp://cam:5000',
    'data:video/mp4;base64,AAAA',
    'concat:/etc/passwd|/etc/hosts',
    'subfile,,start,0,end,100,,:/etc/passwd',
    'crypto:/etc/passwd',
    'pipe:0',
    'pipe:',
    'lavfi:testsrc',
    'rtsp+file://cam/live',
    'file:',
    'file://',
    'file://host/a.mp4',
    'file:a\nb',
    `rtsp://cam/${'a'.repeat(4090)}`,
  ])('%j', (address) => {
    const error = refusal(address, { field: 'cameras[0].url' });
    expect(error.code).toBe('source_refused');
    expect(error.message).toContain('cameras[0].url');
    expect(error.remedy).not.toBe('');
    expect(error.message.length).toBeLessThan(500);
  });

  it('refuses a login that ffmpeg would cut off', () => {
    const password = 'x'.repeat(124);
    expect(refusal(`rtsp://bob:${password}@cam/live`).message).not.toContain('xxx');
    expect(rtsp(`rtsp://bob:${password.slice(1)}@cam/live`).secrets).toEqual([password.slice(1)]);
  });

  it('refuses two logins', () => {
    expect(refusal('rtsp://a:b@cam/', { username: 'c' }).code).toBe('source_refused');
  });

  it('names the value without its secrets', () => {
    expect(refusal('rtsp://bob:hunter2@cam:0/live').message).toContain('"rtsp://***@cam:0/live"');
    expect(refusal('http://bob:hun/ter2@cam/live').message).not.toContain('ter2');
    expect(refusal('rtsp://cam:0/live?password=hunter2').message).not.toContain('hunter2');
  });
});

describe('any login', () => {
  const printable = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/\p{Cc}|\p{Cs}/u.test(text));
  const user = printable.filter((text) => !text.includes(':'));

  it('given apart from the address comes back from the URL as it was', () => {
    fc.assert(
      fc.property(user, printable, (username, password) => {
        fc.pre(`${encodeURIComponent(username)}${encodeURIComponent(password)}`.length < 100);
        const { url, display } = rtsp('rtsp://cam:554/live', { username, password });
        const userInfo = /^rtsp:\/\/([^@/?#]*)@cam:554\/live$/.exec(url)?.[1] ?? '';
        expect(userInfo.split(':').map(decodeURIComponent)).toEqual([username, password]);
        expect(display).toBe('rtsp://cam:554/live');
      }),
    );
  });

  it('percent-encoded in the address is encoded exactly once', () => {
    fc.assert(
      fc.property(user, printable, (username, password) => {
        const userInfo = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        fc.pre(userInfo.includes('%') && userInfo.length < 80);
        expect(rtsp(`rtsp://${userInfo}@cam/live`).url).toBe(
          rtsp('rtsp://cam/live', { username, password }).url,
        );
      }),
    );
  });
});

describe('any text', () => {
  it('is taken or refused with source_refused, and its user-info is never shown', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          '',
          'rtsp://',
          'rtsps://',
          'file:',
          'http://',
          'rtsp://bob:S3cretPw@',
          'rtsp://bob:S3cret/Pw@',
        ),
        fc.string({ unit: 'binary', maxLength: 40 }),
        (start, end) => {
          let shown: string;
          try {
            shown = parseSource(start + end).display;
          } catch (error) {
            if (!(error instanceof LookaheadError)) throw error;
            expect(error.code).toBe('source_refused');
            shown = error.message;
          }
          if (!/\s/.test(end)) expect(redactor(['S3cret'])(shown)).toBe(shown);
        },
      ),
    );
  });
});
