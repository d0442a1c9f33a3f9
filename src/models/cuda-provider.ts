/**
 * onnxruntime's CUDA provider: libraries that its package does not hold, beside the one that it does. They are fetched by
 * `./lookahead setup --cuda`, and need CUDA's own libraries and the driver.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';

/** Where a copy of the package lies, and what it would run on. */
export interface RuntimePackage {
  readonly dir: string;
  readonly version: string;
  /** As the package names it: `linux/x64`. */
  readonly platform: string;
}

/** The only one that the package has a CUDA provider for. */
const cudaPlatform = 'linux/x64';

/** What the provider is made of; its TensorRT half is not used. */
const providerFiles = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** Comes with the driver, which a container gets when it is started, not when its image is built. */
const driverLibrary = 'libcuda.so.1';

/** Opened by the provider only when it computes, so no list of what it is linked with names it. */
const cudnnLibrary = 'libcudnn.so.9';

/** The onnxruntime that this program uses. */
export function runtimePackage(): RuntimePackage {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const dir = dirname(dirname(main));
  const { version } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { dir, version, platform: `${process.platform}/${process.arch}` };
}

/** Where the package's own library lies, and where those of the provider belong. */
export function providerDir({ dir, platform }: RuntimePackage): string {
  return join(dir, 'bin/napi-v6', platform);
}

export function missingFiles(runtime: RuntimePackage): string[] {
  return providerFiles.filter((file) => !existsSync(join(providerDir(runtime), file)));
}

export interface MissingLibraries {
  /** Of CUDA and cuDNN, or whatever else the provider is linked with. */
  readonly cuda: readonly string[];
  readonly driver: boolean;
}

/** What the provider would not find if it were loaded now. Runs `ldd`, and a process that opens cuDNN. */
export async function missingLibraries(runtime: RuntimePackage): Promise<MissingLibraries> {
  const provider = join(providerDir(runtime), 'libonnxruntime_providers_cuda.so');
  const [linked, cudnn] = await Promise.all([
    output('ldd', [provider]),
    output(process.execPath, ['-e', tryToOpen, cudnnLibrary]),
  ]);
  const missing = notFound(linked);
  if (cudnn.includes('cannot open')) missing.push(cudnnLibrary);
  return {
    cuda: missing.filter((name) => name !== driverLibrary),
    driver: missing.includes(driverLibrary),
  };
}

/** A library that is no module of Node's is complained about after it was opened, one that is not there before. */
const tryToOpen =
  'try { process.dlopen({ exports: {} }, process.argv[1]); } catch (error) { console.log(error.message); }';

/** The names in what `ldd` prints that it did not find. */
export function notFound(lddOutput: string): string[] {
  const names = [...lddOutput.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name ?? '');
  return [...new Set(names)];
}

/** `CUDA 13` where a library of that version is asked for: a provider is built for one version alone. */
export function cudaVersionOf(libraries: readonly string[]): string {
  const major = libraries
    .map((name) => /^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)/.exec(name)?.[1])
    .find((found) => found !== undefined);
  return major === undefined ? 'CUDA' : `CUDA ${major}`;
}

/** Why a session for CUDA could not be opened, as exactly as can be told. Code `device_unusable`. */
export async function cudaUnusable(
  cause: unknown,
  runtime: RuntimePackage = runtimePackage(),
): Promise<LookaheadError> {
  const unusable = (what: string, remedy: string): LookaheadError =>
    new LookaheadError(
      'device_unusable',
      `models.device is cuda, and ${what}`,
      `${remedy} Or set models.device: cpu.`,
      { cause },
    );
  const { version, platform } = runtime;
  if (platform !== cudaPlatform) return noProviderFor(runtime, cause);
  const files = missingFiles(runtime);
  if (files.length > 0) {
    return unusable(
      `onnxruntime ${version} has no CUDA provider here: there is no ${files.join(' and no ')}.`,
      'Run ./lookahead setup --cuda.',
    );
  }
  const { cuda, driver } = await missingLibraries(runtime);
  if (cuda.length > 0 || driver) {
    return unusable(
      `its provider finds no ${[...cuda, ...(driver ? [driverLibrary] : [])].join(', ')}.`,
      remedyFor(cuda, driver),
    );
  }
  return unusable(`it cannot be used: ${messageOf(cause)}`, 'See whether nvidia-smi shows a card.');
}

/** Code `device_unusable`. */
export function noProviderFor(
  { version, platform }: RuntimePackage,
  cause?: unknown,
): LookaheadError {
  return new LookaheadError(
    'device_unusable',
    `onnxruntime ${version} has a CUDA provider for ${cudaPlatform} alone, and this is ${platform}.`,
    'Set models.device: cpu.',
    { cause },
  );
}

/** What to install where these are missing. */
export function remedyFor(cuda: readonly string[], driver: boolean): string {
  return [
    ...(cuda.length === 0
      ? []
      : [
          `Install the runtime libraries of ${cudaVersionOf(cuda)} and cuDNN 9; where they lie outside the usual folders, name theirs in LD_LIBRARY_PATH.`,
        ]),
    ...(driver
      ? [
          'Install the NVIDIA driver; a container is given it by --gpus all (NVIDIA Container Toolkit).',
        ]
      : []),
    './lookahead setup --cuda tells what is still missing.',
  ].join(' ');
}

export function hasProvider({ platform }: RuntimePackage): boolean {
  return platform === cudaPlatform;
}

/** What a program writes on standard output; empty where it cannot be started. */
function output(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(text));
  });
}
