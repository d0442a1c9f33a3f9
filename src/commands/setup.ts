/** `setup`: everything that is fetched or compiled once, without starting anything. The launcher has done most of it before. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';
import {
  cudaVersionOf,
  hasProvider,
  missingFiles,
  missingLibraries,
  noProviderFor,
  providerDir,
  remedyFor,
  runtimePackage,
  type RuntimePackage,
} from '../models/cuda-provider.js';
import { createModelPorts } from '../models/model-ports.js';
import { bundleDirOf } from '../places.js';
import { readOptions, type Context } from './options.js';

const usage = './lookahead setup [--cuda]';

export interface SetupParts {
  readonly runtime: RuntimePackage;
  /** Runs a program and resolves with its exit status and what it wrote. */
  readonly run: typeof runProgram;
  readonly missingLibraries: typeof missingLibraries;
  /** Starts the models on the card and lets them compute once. */
  readonly tryCard: () => Promise<void>;
}

/**
 * Resolves with the exit status. `--cuda` fetches onnxruntime's CUDA provider where it is missing, and checks that it can be
 * loaded. That there is no card is said, and no failure: an image is built on machines without one.
 * @throws LookaheadError usage, device_unusable
 */
export async function setupCommand(
  args: readonly string[],
  { out }: Pick<Context, 'out'>,
  parts?: SetupParts,
): Promise<number> {
  const { values } = readOptions(args, { cuda: { type: 'boolean', default: false } }, usage, 0);
  const say = (text: string): void => void out.write(`${text}\n`);
  if (values['cuda'] === true) {
    await setUpCuda(say, parts ?? usualParts());
  } else {
    say('Everything is set up; ./lookahead start watches.');
  }
  return 0;
}

function usualParts(): SetupParts {
  return { runtime: runtimePackage(), run: runProgram, missingLibraries, tryCard };
}

async function tryCard(): Promise<void> {
  const bundleDir = bundleDirOf({ bundle: 'yard' });
  const models = await createModelPorts({ bundleDir, child: { device: 'cuda' } });
  await models.close();
}

async function setUpCuda(say: (text: string) => void, parts: SetupParts): Promise<void> {
  const { runtime } = parts;
  if (!hasProvider(runtime)) throw noProviderFor(runtime);
  if (missingFiles(runtime).length > 0) {
    say(`fetching the CUDA provider of onnxruntime ${runtime.version} (about 300 MB)`);
    await fetchProvider(parts);
  }
  say(`provider  onnxruntime ${runtime.version}, in ${providerDir(runtime)}`);
  const { cuda, driver } = await parts.missingLibraries(runtime);
  if (cuda.length > 0) {
    throw new LookaheadError(
      'device_unusable',
      `The CUDA provider of onnxruntime ${runtime.version} is there, but finds no ${cuda.join(', ')}.`,
      `It was built for ${cudaVersionOf(cuda)}. ${remedyFor(cuda, driver)}`,
    );
  }
  say('libraries of CUDA and cuDNN: all found');
  if (driver) {
    say('driver    none here: models.device: cuda works where one is');
    return;
  }
  try {
    await parts.tryCard();
    say('card      computes; write models.device: cuda into the configuration');
  } catch (error) {
    say(`card      cannot be used here: ${messageOf(error)}`);
  }
}

/** By the package's own script, so that version and origin are those that it names itself. */
async function fetchProvider({ runtime, run }: SetupParts): Promise<void> {
  const script = join(runtime.dir, 'script/install.js');
  if (!existsSync(script)) {
    throw new LookaheadError(
      'device_unusable',
      `onnxruntime ${runtime.version} has no install script: there is no ${script}.`,
      byHand(runtime),
    );
  }
  const { status, text } = await run(process.execPath, [script], installEnvironment(process.env));
  const missing = missingFiles(runtime);
  if (status === 0 && missing.length === 0) return;
  const why = text.trim().split('\n').filter(isTelling).at(-1)?.trim() ?? 'nothing';
  throw new LookaheadError(
    'device_unusable',
    status === 0
      ? `The install script of onnxruntime ${runtime.version} has not brought ${missing.join(' and ')}.`
      : `The CUDA provider of onnxruntime ${runtime.version} could not be fetched. Its install script said: ${why}`,
    byHand(runtime),
  );
}

/** The error itself, not the stack and the source around it. */
function isTelling(line: string): boolean {
  return /^\S*(Error|Exception)\b.*:|^\[?Error/.test(line.trim());
}

/**
 * `true` means «whatever this platform has», whether it is there or not. The script also takes `cuda12`, but forgets it and
 * then does nothing in some folders; and under npm our own .npmrc says `skip`, which `true` wins over.
 */
export function installEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^npm_|^onnxruntime_node_/i.test(name));
  return { ...Object.fromEntries(kept), ONNXRUNTIME_NODE_INSTALL: 'true' };
}

/** Where nothing can be downloaded. */
function byHand(runtime: RuntimePackage): string {
  const { version } = runtime;
  return (
    `It comes from NuGet (HTTPS, about 300 MB; GLOBAL_AGENT_HTTPS_PROXY names a proxy). By hand: take ${missingFiles(runtime).join(' and ')} ` +
    `of the NuGet package Microsoft.ML.OnnxRuntime.Gpu.Linux ${version}, or of the Python wheel onnxruntime-gpu ${version}, copy them to ` +
    `${providerDir(runtime)}, then run ./lookahead setup --cuda again.`
  );
}

function runProgram(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly status: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        text = (text + part).slice(-8000);
      });
    child.once('error', (error) => resolve({ status: null, text: `Error: ${error.message}` }));
    child.once('close', (status) => resolve({ status, text }));
  });
}
