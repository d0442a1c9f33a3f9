/** The videos of a recording, and what is needed to simulate their scenes again. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LookaheadError } from '../../errors.js';
import { EventSchema, RecordingSchema } from '../data/schema.js';
import type { Recording } from '../data/schema.js';
import { drawnSplit, openScene } from '../data/splits.js';
import { cutAccessUnits } from '../rtsp/annex-b.js';
import { ticksPerSecond } from '../world/things.js';

export interface RecordedScene {
  readonly index: number;
  /** The folder's name. */
  readonly name: string;
  /** As it was recorded. */
  readonly annexB: Buffer;
  readonly pictures: number;
}

export interface RecordedScenes {
  readonly recording: Recording;
  readonly scenes: readonly RecordedScene[];
}

/** @param count how many at most, from the first on. @throws LookaheadError usage, recording_unusable */
export async function openRecordedScenes(dir: string, count: number): Promise<RecordedScenes> {
  const recording = await readRecording(dir);
  const names = (await readdir(dir)).filter((name) => /^scene-\d{5,8}$/.test(name)).sort();
  if (names.length === 0)
    throw unusable(
      dir,
      'holds no scene',
      'Wait until a scene is recorded, or give another --from.',
    );
  const scenes: RecordedScene[] = [];
  for (const name of names.slice(0, count)) scenes.push(await openOne(dir, name, recording));
  return { recording, scenes };
}

async function readRecording(dir: string): Promise<Recording> {
  const path = join(dir, 'recording.json');
  const remedy = 'Give a folder that ./lookahead yard record has written.';
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LookaheadError(
      'usage',
      `--from is ${dir}, which is no recording: ${path} cannot be read.`,
      remedy,
      { cause },
    );
  }
  const known = RecordingSchema.safeParse(parsed(text));
  if (!known.success)
    throw unusable(dir, 'was recorded by another version', 'Record it again with this one.');
  if (known.data.tracks)
    throw unusable(dir, 'was recorded with --tracks and has no videos', remedy);
  return known.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function openOne(dir: string, name: string, recording: Recording): Promise<RecordedScene> {
  const folder = join(dir, name);
  const index = Number(name.slice('scene-'.length));
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, file));
    } catch (cause) {
      throw unusable(
        folder,
        `has no ${file} to read`,
        'Delete that folder and record again.',
        cause,
      );
    }
  };
  const annexB = await read('video.h264');
  const units = cutAccessUnits(annexB);
  if (units[0]?.isKey !== true)
    throw unusable(folder, 'has a video.h264 without pictures', 'Delete it and record again.');
  checkSame(folder, recording, index, (await read('events.jsonl')).toString());
  return { index, name, annexB, pictures: units.length };
}

/** A yard whose rules have changed since would tell another story than the video shows. */
function checkSame(folder: string, recording: Recording, index: number, text: string): void {
  const lines = text.split('\n').filter((line) => line !== '');
  const recorded = lines.map((line) => {
    const event = EventSchema.safeParse(parsed(line)).data;
    return event && `${event.onsetS} ${event.label}`;
  });
  const world = openScene(drawnSplit(recording.split), recording.seed, index);
  const start = world.tick;
  while (world.tick < start + recording.secondsPerScene * ticksPerSecond) world.step();
  const simulated = world.events.map(
    (event) => `${(event.tick - start) / ticksPerSecond} ${event.label}`,
  );
  if (simulated.join() !== recorded.join())
    throw unusable(
      folder,
      'was recorded by another version: what happens in it is no longer what this one simulates',
      'Record it again with this one.',
    );
}

function unusable(path: string, why: string, remedy: string, cause?: unknown): LookaheadError {
  return new LookaheadError('recording_unusable', `The recording ${path} ${why}.`, remedy, {
    cause,
  });
}
