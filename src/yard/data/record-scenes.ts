/** Writes a data set of the yard (docs/yard-data.md), scene by scene in child processes; what is there already is kept. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookaheadError } from '../../errors.js';
import { runFfmpeg } from '../run-ffmpeg.js';
import type { Prior } from '../truth/prior.js';
import { worldVersion } from '../world/version.js';
import { dataCard } from './data-card.js';
import { addTotals, datasetOf, noTotals } from './dataset-file.js';
import type { SceneOptions } from './film-scene.js';
import { nameOf as jobNameOf } from './jobs.js';
import type { Assignment, Job, Result } from './jobs.js';
import { json, sceneFolder } from './record-scene.js';
import { openFolder, removePartials } from './recording-file.js';
import { compiled } from '../jobs/compiled.js';
import { runJobs } from '../jobs/run-jobs.js';
import { dataSchema, SceneSchema } from './schema.js';
import type { Recording, Totals } from './schema.js';
import { drawnSplit, sceneSeed, templatesOf } from './splits.js';
import type { Split } from './splits.js';
import { joinTracks, removeParts, tracksPart } from './tracks.js';
import { writeWhole } from './write-whole.js';

export interface RecordOptions extends SceneOptions {
  readonly scenes: number;
  readonly outDir: string;
  readonly ffmpegPath: string;
  /** Child processes. The bytes do not depend on their number. */
  readonly workers: number;
  /** Lines of texts.jsonl; 0: no such file. */
  readonly texts: number;
  /** Tracks instead of pictures and words. */
  readonly tracks: boolean;
  /** @param done scenes on disk, those of earlier runs too */
  readonly onProgress?: (done: number) => void;
  readonly onStart?: (job: Job, pid: number) => void;
  readonly signal?: AbortSignal;
}

/** What differs between splits unless one says otherwise. */
export function defaultsOf(split: Split): Pick<RecordOptions, 'bayes' | 'causes' | 'texts'> {
  return {
    bayes: split === 'train' ? 'none' : { every: 4, count: 1024 },
    causes: split === 'test' ? { pairs: 1000 } : 'none',
    texts: split === 'train' ? 20_000 : 0,
  };
}

/** @throws LookaheadError ffmpeg_missing, ffmpeg_failed, usage; what `signal` was aborted with */
export async function recordScenes(options: RecordOptions): Promise<void> {
  const { scenes, secondsPerScene, split, seed, outDir } = options;
  if (scenes < 1 || secondsPerScene < 1)
    throw new LookaheadError(
      'usage',
      `Cannot record ${String(scenes)} scenes of ${String(secondsPerScene)} seconds.`,
      'Ask for at least one scene of at least one second.',
    );
  sceneSeed(split, seed, scenes - 1);
  const recording = await recordingOf(options);
  await openFolder(outDir, recording);
  const isWhole = await exists(join(outDir, recording.tracks ? 'tracks.json' : 'dataset.json'));
  const priors = isWhole ? new Map<string, Prior>() : await runAll(options, recording);
  if (recording.tracks) {
    if (!isWhole) await joinTracks(recording, outDir);
    await removeParts(scenes, outDir);
  } else if (!isWhole) {
    const totals = await totalsOf(options);
    await writeWhole(join(outDir, 'README.md'), dataCard(recording, totals));
    // Last, so that a folder that has it is whole.
    await writeWhole(join(outDir, 'dataset.json'), json(datasetOf(recording, totals, priors)));
  }
  await removePartials(outDir);
  if (isWhole) options.onProgress?.(scenes);
}

async function recordingOf(options: RecordOptions): Promise<Recording> {
  const { split, seed, scenes, secondsPerScene, bayes, causes, texts, tracks } = options;
  return {
    schema: dataSchema,
    ...{ tracks, split, seed, scenes, secondsPerScene },
    texts: tracks ? 0 : texts,
    bayesCount: bayes === 'none' ? 0 : bayes.count,
    bayesEvery: bayes === 'none' ? 0 : bayes.every,
    causesPairs: causes === 'none' || tracks ? 0 : causes.pairs,
    worldVersion,
    ffmpeg: tracks ? null : await ffmpegVersion(options.ffmpegPath),
  };
}

/** Does what is not done yet. @returns the priors of the templates that the recording meets */
async function runAll(
  options: RecordOptions,
  recording: Recording,
): Promise<ReadonlyMap<string, Prior>> {
  const { outDir, ffmpegPath, scenes, workers, onProgress, onStart, signal } = options;
  const jobs: Job[] = [];
  if (recording.texts > 0 && !(await exists(join(outDir, 'texts.jsonl'))))
    jobs.push({ kind: 'texts' });
  if (!recording.tracks)
    for (const { name } of templatesOf(drawnSplit(recording.split)).slice(0, scenes))
      jobs.push({ kind: 'prior', template: name });
  const [kind, nameOf] = recording.tracks
    ? (['tracks', tracksPart] as const)
    : (['scene', sceneFolder] as const);
  let done = 0;
  for (let scene = 0; scene < scenes; scene++) {
    if (await exists(join(outDir, nameOf(scene)))) done++;
    else jobs.push({ kind, scene });
  }
  const priors = new Map<string, Prior>();
  const onDone = (job: Job, result: Result): void => {
    if (job.kind === 'prior' && result) priors.set(job.template, result);
    if (job.kind === kind) onProgress?.(++done);
  };
  onProgress?.(done);
  await runJobs<Assignment, Job, Result>({
    script: compiled('data/record-worker.js'),
    assignment: { recording, outDir, ffmpegPath },
    nameOf: jobNameOf,
    ...{ jobs, workers, onDone, onStart, signal },
  });
  return priors;
}

async function totalsOf({ scenes, outDir }: RecordOptions): Promise<Totals> {
  let totals = noTotals();
  for (let scene = 0; scene < scenes; scene++) {
    const text = await readFile(join(outDir, sceneFolder(scene), 'scene.json'), 'utf8');
    totals = addTotals(totals, SceneSchema.parse(JSON.parse(text)).totals);
  }
  return totals;
}

/** Pictures are the same to the byte on the same version alone. @throws LookaheadError ffmpeg_missing */
export async function ffmpegVersion(ffmpegPath: string): Promise<string> {
  const { stdout } = await runFfmpeg(ffmpegPath, ['-version']);
  return /^ffmpeg version (\S+)/.exec(stdout.toString())?.[1] ?? 'unknown';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
