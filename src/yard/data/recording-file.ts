/** recording.json: what a folder was recorded with. It goes on with the same options, and with no others. */
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LookaheadError, messageOf } from '../../errors.js';
import type { SceneOptions } from './film-scene.js';
import { json } from './record-scene.js';
import { RecordingSchema } from './schema.js';
import type { Recording } from './schema.js';
import { drawnSplit } from './splits.js';
import { partialMark, writeWhole } from './write-whole.js';

const fileName = 'recording.json';

/** How each option is given on the command line; null: it is not. */
const flags: Readonly<Record<keyof Recording, string | null>> = {
  schema: null,
  tracks: '--tracks',
  split: '--split',
  seed: '--seed',
  scenes: '--scenes',
  secondsPerScene: '--seconds',
  texts: '--texts',
  bayesCount: '--bayes-count',
  bayesEvery: '--bayes-every',
  causesPairs: '--causes-pairs',
  worldVersion: null,
  ffmpeg: null,
};

/**
 * Makes the folder ready: its options written or found to be the same, and nothing left that is half written.
 * @throws LookaheadError usage
 */
export async function openFolder(outDir: string, recording: Recording): Promise<void> {
  const names = await makeFolder(outDir);
  const path = join(outDir, fileName);
  if (names.includes(fileName)) {
    checkSame(outDir, recording, await readRecording(path));
  } else {
    if (names.some((name) => !name.includes(partialMark)))
      throw new LookaheadError(
        'usage',
        `--out is ${outDir}, which holds other files and no ${fileName}.`,
        'Give a new or an empty folder.',
      );
    await writeWhole(path, json(recording));
  }
  await removePartials(outDir);
}

/** @returns what it holds */
async function makeFolder(outDir: string): Promise<string[]> {
  try {
    await mkdir(outDir, { recursive: true });
    return await readdir(outDir);
  } catch (cause) {
    throw new LookaheadError(
      'usage',
      `--out is ${outDir}, which cannot be used: ${messageOf(cause)}.`,
      'Give a folder that may be written to, or the name of a new one.',
      { cause },
    );
  }
}

/** What a process that was ended in the middle has left. */
export async function removePartials(outDir: string): Promise<void> {
  const names = await readdir(outDir);
  for (const name of names.filter((it) => it.includes(partialMark)))
    await rm(join(outDir, name), { recursive: true, force: true });
}

async function readRecording(path: string): Promise<Recording> {
  const text = await readFile(path, 'utf8');
  try {
    return RecordingSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LookaheadError(
      'usage',
      `${path} is not what a recording of this version begins with: ${text.slice(0, 80).trim()}`,
      'Give another --out, or delete that folder.',
      { cause },
    );
  }
}

function checkSame(outDir: string, asked: Recording, known: Recording): void {
  for (const [key, flag] of Object.entries(flags) as [keyof Recording, string | null][]) {
    if (asked[key] === known[key]) continue;
    const [now, before] = [asked[key], known[key]].map((value) => JSON.stringify(value)) as [
      string,
      string,
    ];
    throw new LookaheadError(
      'usage',
      `${flag ?? key} is ${now}, but ${outDir} was recorded with ${before}.`,
      flag === null
        ? `Go on with ${key} ${before}, or give another --out.`
        : `Give ${typeof known[key] === 'boolean' ? `${known[key] ? '' : 'no '}${flag}` : `${flag} ${String(known[key])}`} to go on with it, or another --out.`,
    );
  }
}

export function sceneOptionsOf(recording: Recording): SceneOptions {
  const { split, seed, secondsPerScene, bayesCount, bayesEvery, causesPairs } = recording;
  return {
    ...{ split: drawnSplit(split), seed, secondsPerScene },
    bayes: bayesCount === 0 ? 'none' : { count: bayesCount, every: bayesEvery },
    causes: causesPairs === 0 ? 'none' : { pairs: causesPairs },
  };
}
