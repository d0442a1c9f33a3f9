/** What the models run on: `models.device`, and what `setup --cuda` says where something is missing. No card is needed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installEnvironment, setupCommand, type SetupParts } from '../../src/commands/setup.js';
import { LookaheadError } from '../../src/errors.js';
import {
  cudaUnusable,
  cudaVersionOf,
  missingFiles,
  missingLibraries,
  notFound,
  providerDir,
  remedyFor,
  runtimePackage,
  type RuntimePackage,
} from '../../src/models/cuda-provider.js';
import { createModelPorts } from '../../src/models/model-ports.js';
import { yardDir } from '../models/yard-bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-device-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const providerFiles = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** A package that looks like onnxruntime's; its install script does what it is told. */
function fakePackage(installScript: string | null, has: readonly string[] = []): RuntimePackage {
  const dir = mkdtempSync(join(folder, 'package-'));
  const runtime = { dir, version: '9.9.9', platform: 'linux/x64' };
  mkdirSync(providerDir(runtime), { recursive: true });
  for (const file of has) writeFileSync(join(providerDir(runtime), file), '');
  mkdirSync(join(dir, 'script'));
  if (installScript !== null) writeFileSync(join(dir, 'script/install.js'), installScript);
  return runtime;
}

/** What a set-up says, and how it fails; its fetching is real, by the script of the fake package. */
async function setUp(
  runtime: RuntimePackage,
  parts: Partial<SetupParts> = {},
): Promise<{ said: string; failure?: LookaheadError }> {
  let said = '';
  const out = { write: (text: string) => (said += text) };
  try {
    await setupCommand(
      ['--cuda'],
      { out: out as never },
      {
        runtime,
        run: (file, args, env) => {
          const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
          return Promise.resolve({ status, text: stdout + stderr });
        },
        missingLibraries: () => Promise.resolve({ cuda: [], driver: false }),
        tryCard: () => Promise.resolve(),
        ...parts,
      },
    );
    return { said };
  } catch (error) {
    if (!(error instanceof LookaheadError)) throw error;
    return { said, failure: error };
  }
}

const bringsAll = `
  const { writeFileSync } = require('node:fs');
  if (process.env.ONNXRUNTIME_NODE_INSTALL !== 'true') process.exit(3);
  for (const file of ${JSON.stringify(providerFiles)})
    writeFileSync(require('node:path').join(__dirname, '../bin/napi-v6/linux/x64', file), '');`;

describe('setup --cuda', () => {
  it('runs the script of the package and says that the card computes', async () => {
    const runtime = fakePackage(bringsAll);
    const { said, failure } = await setUp(runtime);
    expect(failure).toBeUndefined();
    expect(said).toContain('onnxruntime 9.9.9');
    expect(said).toContain('card      computes');
    expect(missingFiles(runtime)).toEqual([]);
  });

  it('fetches nothing that is there already', async () => {
    const { failure } = await setUp(fakePackage('process.exit(3)', providerFiles));
    expect(failure).toBeUndefined();
  });

  it('says what to do by hand where the download is refused', async () => {
    const refused = `throw new Error('Failed to download from there. HTTP status code = 403');`;
    const { failure } = await setUp(fakePackage(refused));
    expect(failure?.code).toBe('device_unusable');
    expect(failure?.message).toContain(
      'Error: Failed to download from there. HTTP status code = 403',
    );
    expect(failure?.remedy).toContain('Microsoft.ML.OnnxRuntime.Gpu.Linux 9.9.9');
    for (const file of providerFiles) expect(failure?.remedy).toContain(file);
  });

  it('does not believe a script that succeeds and brings nothing', async () => {
    const { failure } = await setUp(fakePackage('', providerFiles.slice(0, 1)));
    expect(failure?.message).toContain('has not brought libonnxruntime_providers_cuda.so');
  });

  it('names a script that is not there', async () => {
    const { failure } = await setUp(fakePackage(null));
    expect(failure?.message).toContain('script/install.js');
  });

  it('lists every missing library, and of which CUDA they are', async () => {
    const cuda = ['libcublasLt.so.13', 'libcudart.so.13', 'libcudnn.so.9'];
    const { failure } = await setUp(fakePackage('', providerFiles), {
      missingLibraries: () => Promise.resolve({ cuda, driver: true }),
    });
    expect(failure?.message).toContain(cuda.join(', '));
    expect(failure?.remedy).toContain('CUDA 13');
    expect(failure?.remedy).toContain('LD_LIBRARY_PATH');
    expect(failure?.remedy).toContain('driver');
  });

  it('is done where only the card is missing, as on a machine that builds images', async () => {
    const withoutDriver = await setUp(fakePackage('', providerFiles), {
      missingLibraries: () => Promise.resolve({ cuda: [], driver: true }),
      tryCard: () => Promise.reject(new Error('never tried')),
    });
    expect(withoutDriver.failure).toBeUndefined();
    expect(withoutDriver.said).toContain('driver    none here');
    const withoutCard = await setUp(fakePackage('', providerFiles), {
      tryCard: () => Promise.reject(new Error('no CUDA-capable device is detected')),
    });
    expect(withoutCard.failure).toBeUndefined();
    expect(withoutCard.said).toContain('no CUDA-capable device is detected');
  });

  it('is refused where there is no such provider', async () => {
    const { failure } = await setUp({ ...fakePackage(bringsAll), platform: 'linux/arm64' });
    expect(failure?.message).toContain('linux/x64 alone, and this is linux/arm64');
  });

  it('asks the script of the installed version in the way that it understands', () => {
    const env = installEnvironment({
      PATH: '/bin',
      npm_config_onnxruntime_node_install: 'skip',
      npm_config_local_prefix: '/somewhere',
      ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip',
    });
    expect(env).toEqual({ PATH: '/bin', ONNXRUNTIME_NODE_INSTALL: 'true' });
    const { dir } = runtimePackage();
    const asked = `
      process.env.ONNXRUNTIME_NODE_INSTALL = 'true';
      const { parseInstallFlag } = require(${JSON.stringify(join(dir, 'script/install-utils.js'))});
      const { manifests } = require(${JSON.stringify(join(dir, 'script/install-metadata.js'))});
      console.log(JSON.stringify([parseInstallFlag(), Object.keys(manifests['linux/x64:cuda12'])]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', asked], { encoding: 'utf8' });
    const [flag, files] = JSON.parse(stdout || stderr) as [boolean, string[]];
    expect(flag).toBe(true);
    expect(files).toEqual(expect.arrayContaining(providerFiles.map((file) => `./${file}`)));
  });
});

describe('missing libraries', () => {
  it('are those that ldd does not find, each once', () => {
    const text =
      '\tlinux-vdso.so.1 (0x00007)\n\tlibcublas.so.12 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\tlibcublas.so.12 => not found\n';
    expect(notFound(text)).toEqual(['libcublas.so.12']);
    expect([cudaVersionOf(['libcurand.so.10', 'libcublas.so.12']), cudaVersionOf([])]).toEqual([
      'CUDA 12',
      'CUDA',
    ]);
  });

  const compiler = spawnSync('cc', ['--version']).status === 0;
  it.skipIf(!compiler || process.platform !== 'linux')('are found missing for real', async () => {
    const runtime = fakePackage(null, providerFiles);
    const dir = providerDir(runtime);
    const source = join(folder, 'empty.c');
    writeFileSync(source, 'int nothing;\n');
    const link = (name: string, ...args: string[]): void => {
      const done = spawnSync(
        'cc',
        ['-shared', '-fPIC', '-Wl,--no-as-needed', '-o', join(dir, name), source, ...args],
        { encoding: 'utf8' },
      );
      expect(done.stderr).toBe('');
    };
    const needed = ['libcudart.so.99', 'libcuda.so.1'];
    for (const name of needed) link(name);
    link('libonnxruntime_providers_cuda.so', ...needed.map((name) => `-l:${name}`), `-L${dir}`);
    for (const name of needed) rmSync(join(dir, name));
    const missing = await missingLibraries(runtime);
    expect(missing.cuda).toContain('libcudart.so.99');
    expect(missing.cuda).not.toContain('libcuda.so.1');
    const failure = await cudaUnusable(new Error('Failed to load shared library'), runtime);
    expect(failure.message).toContain('libcudart.so.99');
    expect(failure.remedy).toContain(remedyFor(missing.cuda, missing.driver));
  });
});

describe('models.device: cuda', () => {
  it('says of a card that fails what the runtime said', async () => {
    const runtime = fakePackage(null, providerFiles);
    const noLibraries = await cudaUnusable(new Error('CUDA failure 35: driver too old'), runtime);
    // Where this machine has no cuDNN, that is named; else there is only the runtime's own word.
    expect(noLibraries.message).toMatch(/libcudnn\.so\.9|CUDA failure 35: driver too old/);
    expect(noLibraries.remedy).toContain('models.device: cpu');
  });

  it.skipIf(missingFiles(runtimePackage()).length === 0)(
    'ends the start at once, and names the set-up, where there is no provider',
    async () => {
      const restarts: string[] = [];
      const starting = createModelPorts({
        bundleDir: yardDir,
        child: { device: 'cuda', onRestart: (role) => void restarts.push(role) },
      });
      await expect(starting).rejects.toMatchObject({
        code: 'device_unusable',
        message: expect.stringMatching(/providers_cuda|linux\/x64/) as string,
        remedy: expect.stringMatching(/setup --cuda|device: cpu/) as string,
      });
      expect(restarts).toEqual([]);
    },
  );
});
