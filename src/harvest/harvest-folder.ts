/** The folder of kept windows: whole or not there, never beyond its size, the oldest gone first. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';
import { partialMark, partialOf } from '../yard/data/write-whole.js';
import type { ItemFolder } from './item-files.js';
import { timeOfItem } from './item-schema.js';
import { makeRoom, type FolderLimits, type KeptSize } from './make-room.js';

export interface HarvestFolderOptions extends FolderLimits {
  readonly dir: string;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly onDeleted?: (reason: 'age' | 'size') => void;
}

/** What is half written is written within moments; older than this it was left by a crash. */
const partialMaxMs = 60_000;

interface Found {
  readonly kept: readonly KeptSize[];
  readonly otherBytes: number;
}

export class HarvestFolder {
  readonly #options: HarvestFolderOptions;
  /** An item never changes, so that each is measured once. */
  readonly #sizes = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #bytes = 0;

  private constructor(options: HarvestFolderOptions) {
    this.#options = options;
  }

  /**
   * Makes it where it is missing, for its owner alone. What an earlier run has left counts.
   * @throws LookaheadError harvest_unusable
   */
  static open(options: HarvestFolderOptions): HarvestFolder {
    const { dir } = options;
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new LookaheadError(
        'harvest_unusable',
        `harvest.dir is ${dir}, which cannot be written to: ${messageOf(cause)}.`,
        'Give a folder that the engine may write to, or set harvest.enabled to false.',
        { cause },
      );
    }
    return new HarvestFolder(options);
  }

  /** Of all items, when it was last looked at. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Makes room, then writes the item under another name and renames it. At no moment is there more than `bytesMax`.
   * @returns `large`: more than the folder may hold; nothing was changed
   * @throws what the file system says
   */
  keep(item: ItemFolder): Promise<'kept' | 'large'> {
    return this.#inTurn(async () => {
      const bytes = [...item.files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (!(await this.#makeRoom(bytes))) return 'large';
      await this.#write(item);
      this.#sizes.set(item.name, bytes);
      this.#bytes += bytes;
      return 'kept';
    });
  }

  /** Deletes what is too old, too much, or half. @throws what the file system says */
  sweep(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#makeRoom(0);
    });
  }

  /** One at a time: what one counts the other must not change. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #makeRoom(newBytes: number): Promise<boolean> {
    const { dir, now, onDeleted } = this.#options;
    const { kept, otherBytes } = await this.#find();
    const room = makeRoom(kept, this.#options, now(), newBytes, otherBytes);
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, reason } of room.delete) {
      await deleteItem(dir, name);
      this.#bytes -= this.#sizes.get(name) ?? 0;
      this.#sizes.delete(name);
      onDeleted?.(reason);
    }
    return room.fits;
  }

  /** What there is now: people, `./lookahead harvest clear` and another engine may delete, too. */
  async #find(): Promise<Found> {
    const { dir, now } = this.#options;
    // Somebody may have deleted the whole folder.
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const names = await readdir(dir);
    let otherBytes = 0;
    for (const name of names.filter((it) => it.includes(partialMark))) {
      const path = join(dir, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: NaN }));
      if (now() - mtimeMs > partialMaxMs) await rm(path, { recursive: true, force: true });
      else otherBytes += await sizeOf(path);
    }
    const kept: KeptSize[] = [];
    for (const name of names) {
      const atMs = timeOfItem(name);
      if (atMs === null) continue;
      const bytes = this.#sizes.get(name) ?? (await sizeOf(join(dir, name)));
      this.#sizes.set(name, bytes);
      kept.push({ name, bytes, atMs });
    }
    for (const name of this.#sizes.keys()) if (!names.includes(name)) this.#sizes.delete(name);
    return { kept, otherBytes };
  }

  async #write({ name, files }: ItemFolder): Promise<void> {
    const path = join(this.#options.dir, name);
    const partial = partialOf(path);
    await rm(partial, { recursive: true, force: true });
    try {
      await mkdir(partial, { mode: 0o700 });
      for (const [file, content] of files) {
        const handle = await open(join(partial, file), 'wx', 0o600);
        try {
          await handle.writeFile(content);
          // Else a power cut could leave the new name with empty files.
          await handle.sync();
        } finally {
          await handle.close();
        }
      }
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }
}

/** First another name, so that nobody reads what is being deleted. */
export async function deleteItem(dir: string, name: string): Promise<void> {
  const path = join(dir, name);
  const dying = partialOf(path);
  try {
    await rename(path, dying);
  } catch (error) {
    // Somebody else was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(dying, { recursive: true, force: true });
}

/** Of the files in a folder; 0 where it has just gone. */
export async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  let bytes = 0;
  for (const name of names) {
    const { size } = await stat(join(folder, name)).catch(() => ({ size: 0 }));
    bytes += size;
  }
  return bytes;
}
