/** Reads back what the harvest has kept. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LookaheadError, messageOf } from '../errors.js';
import { sizeOf } from './harvest-folder.js';
import {
  itemFiles,
  ItemSchema,
  KeptSceneSchema,
  timeOfItem,
  type Item,
  type KeptScene,
} from './item-schema.js';

export interface ItemFilter {
  /** None: of all cameras. */
  readonly cameras: readonly string[];
  /** End of the window; null: however old. */
  readonly sinceMs: number | null;
}

export interface KeptItem {
  readonly name: string;
  readonly bytes: number;
  readonly item: Item;
}

export interface ItemList {
  /** Oldest first. */
  readonly items: readonly KeptItem[];
  /** Those that cannot be read; what they are of is not known, so that no filter leaves them out. */
  readonly broken: readonly { readonly name: string; readonly why: string }[];
}

/**
 * An item that goes while the list is read is not in it; a folder that is not there holds nothing.
 * @throws LookaheadError harvest_unusable, where the folder cannot be read
 */
export async function listItems(dir: string, { cameras, sinceMs }: ItemFilter): Promise<ItemList> {
  const items: KeptItem[] = [];
  const broken: { name: string; why: string }[] = [];
  for (const name of await namesIn(dir)) {
    const atMs = timeOfItem(name);
    if (atMs === null || (sinceMs !== null && atMs < sinceMs)) continue;
    try {
      const item = await readItem(dir, name);
      if (cameras.length > 0 && !cameras.includes(item.camera)) continue;
      items.push({ name, item, bytes: await sizeOf(join(dir, name)) });
    } catch (error) {
      if (!(await namesIn(dir)).includes(name)) continue;
      if (!(error instanceof LookaheadError)) throw error;
      broken.push({ name, why: error.message });
    }
  }
  return { items, broken };
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new LookaheadError(
      'harvest_unusable',
      `The folder of kept windows ${dir} cannot be read: ${messageOf(cause)}.`,
      'Give the configuration of the engine with --config FILE; its harvest.dir names the folder.',
      { cause },
    );
  }
}

/** @throws LookaheadError harvest_unusable: the file, and what is wrong with it */
export async function readItem(dir: string, name: string): Promise<Item> {
  const path = join(dir, name, itemFiles.item);
  const item = check(ItemSchema, (await read(path)).toString(), path);
  // Paths are made of it.
  if (item.name !== name) throw unusable(`${path} calls itself ${JSON.stringify(item.name)}.`);
  return item;
}

/** One of each clip. @throws LookaheadError harvest_unusable: the file, its line, and what is wrong with it */
export async function readKeptScenes(dir: string, { name, clips }: Item): Promise<KeptScene[]> {
  const path = join(dir, name, itemFiles.scenes);
  const lines = (await read(path)).toString().trimEnd().split('\n');
  if (lines.length !== clips) throw unusable(`${path} has ${lines.length} lines, not ${clips}.`);
  return lines.map((line, at) => check(KeptSceneSchema, line, `${path}, line ${at + 1}`));
}

export interface KeptTokens {
  readonly global: Float32Array;
  /** objects x D. */
  readonly objects: Float32Array;
  /** objects x attributes. */
  readonly attributes: Float32Array;
}

/** Of each clip of the window. @throws LookaheadError harvest_unusable */
export async function readTokens(
  dir: string,
  { name, tokens: { visionDim, attributes }, windowClips }: Item,
  scenes: readonly KeptScene[],
): Promise<KeptTokens[]> {
  const path = join(dir, name, itemFiles.tokens);
  const bytes = await read(path);
  let at = 0;
  const take = (count: number): Float32Array => {
    const part = bytes.subarray(at, at + count * 4);
    if (part.length < count * 4) throw unusable(`${path} was cut short.`);
    at += count * 4;
    // Copied: wider numbers need aligned bytes.
    return new Float32Array(new Uint8Array(part).buffer);
  };
  const tokens = scenes.slice(0, windowClips).map(({ objects }) => ({
    global: take(visionDim),
    objects: take(objects.length * visionDim),
    attributes: take(objects.length * attributes.length),
  }));
  if (at !== bytes.length) throw unusable(`${path} has ${bytes.length - at} bytes too many.`);
  return tokens;
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unusable(`${path} cannot be read: ${messageOf(cause)}.`, cause);
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
  throw unusable(`${where} is not what this version writes: ${what}`);
}

function unusable(what: string, cause?: unknown): LookaheadError {
  return new LookaheadError('harvest_unusable', what, 'Delete that folder; the others are whole.', {
    cause,
  });
}
