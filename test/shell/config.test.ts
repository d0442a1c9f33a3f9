import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/commands/check.js';
import { configKeys, gateOf, overrides, promptsOf, type Config } from '../../src/config.js';
import { LookaheadError } from '../../src/errors.js';
import { loadConfig } from '../../src/load-config.js';
import { defaultGate } from '../../src/pipeline-config.js';
import { polygonsOf } from '../../src/privacy-mask-schema.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly flags?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly cameras?: readonly string[];
}

function load(yaml: string | Uint8Array | null, given: Given = {}): Config {
  if (yaml !== null) writeFileSync(join(folder, 'c.yaml'), yaml);
  return loadConfig({
    file: yaml === null ? null : 'c.yaml',
    cameras: given.cameras ?? [],
    flags: given.flags ?? {},
    env: given.env ?? {},
    cwd: folder,
  });
}

function problem(act: () => unknown): LookaheadError {
  try {
    act();
  } catch (error) {
    if (error instanceof LookaheadError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

function problemOrConfig(act: () => unknown): LookaheadError | 'taken' {
  try {
    act();
    return 'taken';
  } catch (error) {
    if (error instanceof LookaheadError) return error;
    throw error;
  }
}

const gate = (more: string): string => `cameras:\n  gate:\n    url: rtsp://h/s\n    ${more}\n`;

describe('a bad file gets one typed error that says where', () => {
  // Number in the list of bad inputs, the file, what the message must hold.
  it.each<[string, string | Uint8Array, RegExp]>([
    ['tab as indentation', 'http:\n\tport: 1\n', /c\.yaml:2:1/],
    ['duplicate key', 'site: a\nsite: b\n', /unique[^]*c\.yaml:2:1/],
    [
      'unknown key',
      'bundel: yard\n',
      /unknown key "bundel"; did you mean "bundle"\?[^]*c\.yaml:1:1/,
    ],
    [
      'unknown key of a camera',
      gate('ulr: x'),
      /cameras\.gate: unknown key "ulr"; did you mean "url"/,
    ],
    ['a key like no other', 'zzzzzz: 1\n', /unknown key "zzzzzz"\n/],
    [
      'alias bomb',
      `a: &a [1,1,1]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((k, i) => `${k}: &${k} [${`*${'abcdefg'[i]!},`.repeat(9)}]\n`).join('')}`,
      /alias/i,
    ],
    ['merge key', 'base: &b {port: 1}\nhttp:\n  <<: *b\n', /unknown key "<<"/],
    ['yes for a number', 'yardCameras: yes\n', /yardCameras[^]*number[^]*c\.yaml:1:14/],
    ['infinity', 'yardCameras: .inf\n', /yardCameras/],
    ['not a number', gate('timeoutMs: .nan'), /timeoutMs/],
    ['camera named __proto__', 'cameras: {__proto__: {url: "rtsp://h/s"}}\n', /__proto__/],
    ['__proto__ on top', '__proto__: {site: x}\n', /__proto__/],
    ['camera named constructor', 'cameras: {constructor: {url: "rtsp://h/s"}}\n', /reserved/],
    ['camera named toString', 'cameras: {toString: {url: "rtsp://h/s"}}\n', /reserved/],
    ['camera named svc', 'cameras: {svc: {url: "rtsp://h/s"}}\n', /reserved/],
    ...['a.b', 'a*', '>', 'a b', '🚪', 'x'.repeat(65), ''].map((name): [string, string, RegExp] => [
      `camera named ${JSON.stringify(name)}`,
      `cameras:\n  ${JSON.stringify(name)}: {url: "rtsp://h/s"}\n`,
      /letters, digits[^]*c\.yaml:2:3/,
    ]),
    [
      'names that differ in case',
      'cameras: {Gate: {url: "rtsp://h/s"}, gate: {url: "rtsp://h/s"}}',
      /case/,
    ],
    [
      'a thousand cameras',
      `cameras:\n${Array.from({ length: 1000 }, (_, i) => `  c${i}: {url: "rtsp://h/s"}\n`).join('')}`,
      /at most 64/,
    ],
    ...['0', '-1', '1e9', '2.5', '"5000"'].map((value): [string, string, RegExp] => [
      `timeoutMs ${value}`,
      gate(`timeoutMs: ${value}`),
      /cameras\.gate\.timeoutMs[^]*c\.yaml:4:16/,
    ]),
    ['port 65536', 'http: {port: 65536}\n', /http\.port[^]*c\.yaml:1:14/],
    ['port as text', 'http: {port: "8080"}\n', /http\.port/],
    [
      'WebSocket of no server',
      'nats: {websocket: "ws://h:8080"}\n',
      /nats\.websocket: belongs to configured servers[^]*c\.yaml:1:/,
    ],
    [
      'login in the address of the WebSocket',
      'nats: {servers: [h], websocket: "ws://u:p@h:8080"}\n',
      /nats\.websocket: must be ws:/,
    ],
    [
      'half a login of the dashboard',
      'nats: {servers: [h], dashboardUser: d}\n',
      /dashboardUser and dashboardPassword go together/,
    ],
    [
      'secret of the dashboard that is not set',
      'nats: {servers: [h], dashboardUser: d, dashboardPassword: "${NOT_THERE}"}\n',
      /nats\.dashboardPassword: the environment variable NOT_THERE is not set/,
    ],
    ['inbox that is no subject', 'nats: {inboxPrefix: "a.>"}\n', /nats\.inboxPrefix: must be/],
    ['servers empty', 'nats: {servers: []}\n', /nats\.servers/],
    ['both passwords', gate('password: a\n    passwordFile: b'), /not both/],
    ['environment not set', gate('password: ${CAM_PASS}'), /CAM_PASS is not set[^]*c\.yaml:4:15/],
    ['environment of two lines', gate('password: ${TWO}'), /TWO has more than one line/],
    ['password file missing', gate('passwordFile: none'), /cameras\.gate\.passwordFile[^]*ENOENT/],
    ['an include', 'include: c.yaml\n', /unknown key "include"/],
    ['larger than it may be', `site: home\n#${'x'.repeat(1_000_001)}`, /at most/],
    ['UTF-16', Buffer.from('\ufeffsite: home\n', 'utf16le'), /UTF-8/],
    ['Latin-1', Buffer.from('site: caf\xe9\n', 'latin1'), /UTF-8/],
    ['a tag of some language', 'site: !!js/function x\n', /tag/i],
    ['two documents', 'site: a\n---\nsite: b\n', /c\.yaml:2:1/],
    ['a list', '- 1\n- 2\n', /keys and values/],
    ['a scalar such as another file holds', 'root:x:0:0\n', /keys and values/],
    ['an older form', 'version: 0\nsite: home\n', /unknown key "version"/],
    ['address without scheme', 'cameras: {a: {url: "192.168.1.2/s"}}', /cameras\.a\.url[^]*rtsp/],
    [
      'address of another scheme',
      'cameras: {a: {url: "http://169.254.169.254/"}}',
      /cameras\.a\.url/,
    ],
    ['address missing', 'cameras: {a: {transport: tcp}}', /cameras\.a\.url/],
    ...(
      [
        ['[[0, 0], [1, 1]]', /polygon of 2 corners is none; give 3[^]*c\.yaml:4:42/],
        ['[]', /polygon of 0 corners/],
        ['[[0, 0], [1, 0], [1, 1.2]]', /polygon\.2\.1: 1\.2 is no share[^]*0 \(left, top\) to 1/],
        ['[[0, 0], [640, 0], [1, 1]]', /640 is no share[^]*pixels divided by/],
        ['[[0, 0], [1, -0.1], [1, 1]]', /-0\.1 is no share/],
        ['[[0, 0], [1, .nan], [1, 1]]', /NaN is no share/],
        ['[[0, 0], [1, .inf], [1, 1]]', /Infinity is no share/],
        ['[[0, 0], [1, "1"], [1, 1]]', /"1" is no share/],
        ['[[0, 0], [1, 0, 1], [1, 1]]', /polygon\.1: a corner is \[x, y\], not \[1,0,1\]/],
        ['[[0, 0], [0.5, 0.5], [1, 1]]', /no area/],
        ['[[0, 0], [1, 1], [1, 0], [0.1, 0.8]]', /crosses itself[^]*in order/],
        [`[${'[0, 0], '.repeat(33)}]`, /33 corners, and 32 is the most/],
      ] satisfies [string, RegExp][]
    ).map(([polygon, expected]): [string, string, RegExp] => [
      `polygon ${polygon.slice(0, 40)}`,
      gate(`privacyMasks: [{name: door, polygon: ${polygon}}]`),
      expected,
    ]),
    ...(
      [
        ['{x: 0, y: 0, width: 0, height: 1}', /rectangle\.width: 0 hides nothing/],
        ['{x: 0, y: 0, width: 1, height: 0}', /rectangle\.height: 0 hides nothing/],
        ['{x: 0.5, y: 0, width: 0.6, height: 1}', /x and width come to 1\.1; 1 at most/],
        ['{x: 0, y: 0.5, width: 1, height: 0.6}', /y and height come to 1\.1; 1 at most/],
        ['{x: 0, y: 0, width: 1}', /rectangle\.height: "nothing" is no share/],
        ['{x: 0, y: 0, widht: 1, height: 1}', /"widht"; did you mean "width"/],
      ] satisfies [string, RegExp][]
    ).map(([rectangle, expected]): [string, string, RegExp] => [
      `rectangle ${rectangle}`,
      gate(`privacyMasks: [{rectangle: ${rectangle}}]`),
      expected,
    ]),
    ['a mask of nothing', gate('privacyMasks: [{name: door}]'), /exactly one of the two/],
    [
      'a mask of both',
      gate(
        'privacyMasks: [{polygon: [[0, 0], [1, 0], [1, 1]], rectangle: {x: 0, y: 0, width: 1, height: 1}}]',
      ),
      /exactly one of the two/,
    ],
    ['a mask of another shape', gate('privacyMasks: [{circle: 1}]'), /unknown key "circle"/],
    [
      'seventeen masks',
      gate(`privacyMasks: [${'{rectangle: {x: 0, y: 0, width: 1, height: 1}}, '.repeat(17)}]`),
      /there are 17 masks, and 16 is the most/,
    ],
    [
      'masks that ffmpeg would be busy with',
      gate(`privacyMasks: [${'{polygon: [[0, 0], [1, 0.5], [0, 1]]}, '.repeat(5)}]`),
      /take 315 rectangles to draw, and 256 is the most/,
    ],
    ['camera of null', 'cameras: {a: }', /cameras\.a/],
  ])('%s', (_, yaml, expected) => {
    const error = problem(() => load(yaml, { env: { TWO: 'a\nb' } }));
    expect(error.message).toMatch(expected);
    expect(error.message).not.toMatch(/\n\s+at [A-Za-z.]+ \(|node_modules/);
    expect(error.code).toMatch(/^config_/);
  });

  it.each<[string, (path: string) => unknown]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a FIFO', (path) => spawnSync('mkfifo', [path])],
    ['a link to nowhere', (path) => symlinkSync('/nonexistent', path)],
    ['nothing', () => undefined],
  ])('%s instead of a file', (name, make) => {
    const path = join(folder, name.replaceAll(' ', '-'));
    make(path);
    const error = problem(() =>
      loadConfig({ file: path, cameras: [], flags: {}, env: {}, cwd: folder }),
    );
    expect(error.code).toBe('config_unreadable');
    expect(error.message).toContain(path);
  });

  it('shows no line that may hold a password', () => {
    const error = problem(() => load('cameras:\n  a:\n    password: [hunter2\n'));
    expect(error.message).not.toContain('hunter2');
    const inUrl = problem(() => load('cameras:\n  a: {url: "rtp://u:hunter2@h/s"}\n'));
    expect(inUrl.message).not.toContain('hunter2');
  });

  it('shows nothing of a file that is no configuration', () => {
    const error = problem(() => load('root:*:20228:0:99999:7:::\ndaemon:$y$hash:20228::::::\n'));
    expect(error.message).not.toMatch(/root|hash|20228/);
  });

  it('never crashes, whatever the file holds', () => {
    const pieces = [
      'cameras',
      ':',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '&a',
      '*a',
      '"',
      '|',
      '!!x',
      '#',
      'null',
      '1e9',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        try {
          load(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(LookaheadError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is valid', () => {
  it.each(['', '# only a comment\n', '\ufeffsite: home\n', 'site: home\r\nyardCameras: 2\r\n'])(
    'gives the defaults for %j',
    (yaml) => expect(load(yaml)).toEqual(load(null)),
  );

  it('reads numbers as YAML 1.2 writes them', () => {
    expect(load('yardCameras: 0o17\n').yardCameras).toBe(15);
    expect(load(gate('timeoutMs: 1e3')).cameras['gate']?.timeoutMs).toBe(1000);
  });

  it('lets flags win over the environment, the environment over the file', () => {
    const file = 'site: file\nhttp: {port: 1}\nyardCameras: 3\n';
    const env = { LOOKAHEAD_SITE: 'env', LOOKAHEAD_HTTP_PORT: '2' };
    const config = load(file, { env, flags: { site: 'flag' } });
    expect([config.site, config.http.port, config.yardCameras]).toEqual(['flag', 2, 3]);
  });

  it('names the flag or variable that is wrong', () => {
    const flag = problem(() => load(null, { flags: { 'http-port': 'x' } }));
    expect(flag.message).toContain('--http-port');
    const env = problem(() => load(null, { env: { LOOKAHEAD_HTTP_PORT: '-1' } }));
    expect(env.message).toContain('LOOKAHEAD_HTTP_PORT');
    const camera = problem(() => load(null, { cameras: ['a.b=rtsp://u:hunter2@h/s'] }));
    expect(camera.message).toContain('--camera a.b');
    expect(camera.message).not.toContain('hunter2');
  });

  it.each(['gate', '=rtsp://h/s', '__proto__=rtsp://h/s'])('refuses --camera %s', (camera) => {
    expect(problem(() => load(null, { cameras: [camera] })).code).toBe('usage');
  });

  it('takes polygons and rectangles as privacy masks, in shares of the picture', () => {
    const { cameras } = load(
      gate(
        'privacyMasks: [{name: door, polygon: [[0, 0], [1, 0], [0.5, 1]]}, {rectangle: {x: 0.7, y: 0.9, width: 0.3, height: 0.1}}]',
      ),
    );
    expect(polygonsOf(cameras['gate']!.privacyMasks)).toEqual([
      [
        [0, 0],
        [1, 0],
        [0.5, 1],
      ],
      [
        [0.7, 0.9],
        [1, 0.9],
        [1, 1],
        [0.7, 1],
      ],
    ]);
  });

  it('keeps the privacy masks of a camera whose address a flag replaces', () => {
    const yaml = gate(
      'password: x\n    privacyMasks: [{rectangle: {x: 0, y: 0, width: 1, height: 0.5}}]',
    );
    const gateOf = load(yaml, { cameras: ['gate=rtsp://other/s'] }).cameras['gate']!;
    expect(gateOf).toMatchObject({ url: 'rtsp://other/s', password: null });
    expect(gateOf.privacyMasks.length).toBe(1);
    expect(load(yaml, { cameras: ['door=rtsp://other/s'] }).cameras['door']?.privacyMasks).toEqual(
      [],
    );
    for (const odd of ['cameras: 1\n', 'cameras: [1]\n', 'cameras: {gate: 1}\n']) {
      const loaded = problemOrConfig(() => load(odd, { cameras: ['gate=rtsp://h/s'] }));
      expect(loaded === 'taken' || loaded.code === 'config_invalid').toBe(true);
    }
  });

  it('takes passwords from the environment and from files', () => {
    writeFileSync(join(folder, 'word'), 'from file\nsecond line\n');
    const yaml =
      'cameras:\n  a: {url: "rtsp://h/s", password: "${P}"}\n  b: {url: "rtsp://h/s", passwordFile: word}\n';
    const { cameras } = load(yaml, { env: { P: 'from env' } });
    expect([cameras['a']?.password, cameras['b']?.password]).toEqual(['from env', 'from file']);
  });

  it('counts relative paths from the file that holds them', () => {
    const config = load('bundle: ./mine\ncameras: {a: {url: "file:x.mp4"}}\n');
    expect(config.bundle).toBe(join(folder, 'mine'));
    expect(config.cameras['a']?.url).toBe(`file:${join(folder, 'x.mp4')}`);
  });
});

describe('the gate', () => {
  it('is on, has the limits that were measured, and can be switched off', () => {
    expect(gateOf(load(null).gate)).toMatchObject(defaultGate);
    expect(gateOf(load('gate: { enabled: false }').gate)).toBeUndefined();
    expect(gateOf(load('gate: { distanceMax: 0.3 }').gate)).toMatchObject({ distanceMax: 0.3 });
  });

  it.each([
    ['gate: { restingMaxPerS: 0.1 }', /gate\.restingMaxPerS: must not be above movingMinPerS/],
    ['gate: { attributeOffMax: 0.9 }', /gate\.attributeOffMax: must not be above attributeOnMin/],
    ['gate: { distanceMax: 2 }', /gate\.distanceMax/],
  ])('%s is refused', (yaml, message) => {
    expect(problem(() => load(yaml)).message).toMatch(message);
  });
});

it("a camera's own prompts are handed on, those of the bundle left to it", () => {
  const config = load(gate("prompts: { ask: 'Query:', question: 'why <event> ?' }"));
  expect(promptsOf(config, 'gate')).toEqual({ ask: 'Query:' });
  expect(config.cameras['gate']?.prompts.question).toBe('why <event> ?');
  expect(promptsOf(config, 'yard-1')).toEqual({});
});

describe('the reference file', () => {
  const path = new URL('../../deploy/lookahead.example.yaml', import.meta.url);
  /** A webhook that is in force would post to somebody, so the one that explains the keys is a comment. */
  const whole = readFileSync(path, 'utf8')
    .replace(/^webhooks: \{\}$/m, '')
    .replace(/^# {3}webhooks:\n(?:# {5}.*\n)+/m, (block) => block.replaceAll(/^# {3}/gm, ''));

  it('is taken as it is', () => {
    const file = path.pathname;
    expect(loadConfig({ file, cameras: [], flags: {}, env: {}, cwd: '/' }).webhooks).toEqual({});
  });

  it('holds every key with its default', () => {
    const config = load(whole, { env: { TELEPHONE_URL: 'https://h/t' } });
    for (const { key, default: standard } of configKeys()) {
      const name = key.startsWith('webhooks') ? '.telephone.' : '.gate.';
      const parts = key.replace('.NAME.', name).split('.');
      const text = whole;
      expect(text, key).toMatch(new RegExp(`^ *${parts.at(-1)!}:`, 'm'));
      if (standard === undefined) continue;
      const value = parts.reduce<unknown>(
        (at, part) => (at as Record<string, unknown>)[part],
        config,
      );
      expect(value, key).toEqual(standard);
    }
  });

  it('names every flag and variable', () => {
    const text = readFileSync(path, 'utf8');
    for (const { flag, env } of overrides) {
      expect(text).toContain(`--${flag}`);
      expect(text).toContain(env);
    }
  });

  it('describes every key', () => {
    for (const { key, description } of configKeys()) expect(description, key).not.toBe('');
  });
});

describe('who may come in', () => {
  const word = 'correct horse';

  it.each<[string, string, Given, RegExp]>([
    ['a wide address', 'http: {host: 0.0.0.0}\n', {}, /http\.host: "0\.0\.0\.0"[^]*c\.yaml:1:14/],
    ['a wide address from a flag', '', { flags: { 'http-host': '::' } }, /at --http-host/],
    ['a name that begins as loopback does', 'http: {host: 127.evil.example}\n', {}, /http\.token/],
    ['a public address', 'http: {publicUrl: "https://a.example"}\n', {}, /http\.publicUrl/],
    ['a path in it', 'http: {publicUrl: "https://a.example/x"}\n', {}, /nothing behind it/],
    ['a login in it', 'http: {publicUrl: "https://a:b@c.example"}\n', {}, /publicUrl/],
    ['a short password', 'http: {password: hunter2}\n', {}, /http\.password: too short/],
    ['an empty one', 'http: {password: "${P}"}\n', { env: { P: '' } }, /http\.password: too short/],
    ['one that is not set', 'http: {host: 0.0.0.0, password: "${P}"}\n', {}, /variable P is not/],
    ['an empty file', 'http: {passwordFile: empty}\n', {}, /http\.passwordFile: too short/],
    ['no file', 'http: {passwordFile: none}\n', {}, /http\.passwordFile[^]*ENOENT/],
    ['both', 'http: {password: a, passwordFile: b}\n', {}, /not both/],
    [
      'a token with a space',
      'http: {token: "sixteen letters and more"}\n',
      {},
      /http\.token: a header/,
    ],
  ])('%s is named', (_what, yaml, given, expected) => {
    writeFileSync(join(folder, 'empty'), '\n');
    const { code, message } = problem(() => load(yaml, given));
    expect(code).toBe('config_invalid');
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/hunter2|sixteen/);
  });

  it('a secret comes from the environment or a file, and nobody is shown it', () => {
    writeFileSync(join(folder, 'word'), `${word}\n`);
    const yaml = 'http: {host: 0.0.0.0, passwordFile: word, token: "${T}"}\n';
    const config = load(yaml, { env: { T: 'a-token-of-some-length' } });
    expect([config.http.password, config.http.token]).toEqual([word, 'a-token-of-some-length']);
    const shown = JSON.stringify(withoutSecrets(config));
    expect(shown).not.toMatch(/correct horse|a-token/);
  });
});
