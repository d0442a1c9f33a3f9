/** Reads back what `yard record` has written (docs/yard-data.md), each line checked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { LookaheadError, messageOf } from '../../errors.js';
import { sceneFolder } from './record-scene.js';
import { ClipSchema, DatasetSchema, EventSchema, SceneSchema, WindowSchema } from './schema.js';
import type { ClipLine, Dataset, EventLine, SceneFile, WindowLine } from './schema.js';

/** All that is true of one recorded scene. */
export interface RecordedTruth {
  readonly scene: SceneFile;
  readonly clips: readonly ClipLine[];
  readonly events: readonly EventLine[];
  readonly windows: readonly WindowLine[];
  /** uint8 [clips][90][160]: index + 1 of the object that each pixel of the key frame shows. */
  readonly ids: Uint8Array;
}

/** @throws LookaheadError recording_unusable: the file, its line, and what is wrong with it */
export async function readDataset(dir: string): Promise<Dataset> {
  const path = join(dir, 'dataset.json');
  return check(DatasetSchema, (await read(path)).toString(), path);
}

export const videoOf = (dir: string, scene: number): string =>
  join(dir, sceneFolder(scene), 'video.h264');

/** @throws LookaheadError recording_unusable: the file, its line, and what is wrong with it */
export async function readTruth(dir: string, scene: number): Promise<RecordedTruth> {
  const at = (name: string): string => join(dir, sceneFolder(scene), name);
  const lines = async <Schema extends z.ZodType>(
    name: string,
    schema: Schema,
  ): Promise<z.output<Schema>[]> =>
    (await read(at(name)))
      .toString()
      .split('\n')
      .flatMap((line, index) =>
        line === '' ? [] : [check(schema, line, `${at(name)}, line ${String(index + 1)}`)],
      );
  return {
    scene: check(SceneSchema, (await read(at('scene.json'))).toString(), at('scene.json')),
    clips: await lines('clips.jsonl', ClipSchema),
    events: await lines('events.jsonl', EventSchema),
    windows: await lines('windows.jsonl', WindowSchema),
    ids: gunzipSync(await read(at('ids.u8.gz'))),
  };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(
      `${path} cannot be read: ${messageOf(cause)}`,
      'Give a folder that ./lookahead yard record has written to its end.',
      cause,
    );
  }
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  where: string,
): z.output<Schema> {
  let what: string;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    what = z.prettifyError(parsed.error);
  } catch (error) {
    what = messageOf(error);
  }
  throw unusable(
    `${where} is not what this version writes: ${what}`,
    'Record it again with this version.',
  );
}

function unusable(what: string, remedy: string, cause?: unknown): LookaheadError {
  return new LookaheadError('recording_unusable', what, remedy, { cause });
}
