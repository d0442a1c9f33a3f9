/** Passwords of cameras that were added while the engine runs: one file, for the engine's user alone, and nowhere else. */
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { LookaheadError } from './errors.js';

const line = z
  .string()
  .max(1024)
  .regex(/^[^\r\n\0]*$/);

const CredentialSchema = z.strictObject({
  username: line.nullable().default(null),
  password: line.nullable().default(null),
  /** `HOST:PORT`; a login that was given for one camera is sent to no other. null: to any. */
  host: line.nullable().default(null),
  /** The camera that it was made with, and goes with. null: a person's own. */
  camera: line.nullable().default(null),
});
export type Credential = z.infer<typeof CredentialSchema>;

const FileSchema = z.record(line, CredentialSchema);

export class CredentialStore {
  readonly #file: string;
  readonly #warn: (text: string) => void;
  #isTold = false;
  /** One change after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(file: string, warn: (text: string) => void) {
    this.#file = file;
    this.#warn = warn;
  }

  /** Reads the file each time, so that what a person writes there is in force at the next connection. */
  async of(name: string): Promise<Credential | undefined> {
    return (await this.#read()).get(name);
  }

  /** Keeps it under a name that is still free, the wanted one or one like it, which is returned. */
  add(wanted: string, credential: Credential): Promise<string> {
    return this.#change((all) => {
      let name = wanted;
      for (let count = 2; all.has(name); count++) name = `${wanted}-${String(count)}`;
      all.set(name, credential);
      return name;
    });
  }

  /** All that were made with a camera. */
  removeOf(camera: string): Promise<void> {
    return this.#change((all) => {
      for (const [name, credential] of all) if (credential.camera === camera) all.delete(name);
    });
  }

  #change<Result>(change: (all: Map<string, Credential>) => Result): Promise<Result> {
    const changed = this.#changing.then(async () => {
      const all = await this.#read();
      const before = all.size;
      const result = change(all);
      if (all.size !== before) await this.#write(all);
      return result;
    });
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  async #read(): Promise<Map<string, Credential>> {
    let handle: FileHandle;
    try {
      handle = await open(this.#file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw this.#unreadable(String((error as NodeJS.ErrnoException).code));
    }
    try {
      const { mode } = await handle.stat();
      if ((mode & 0o077) !== 0 && !this.#isTold) {
        this.#isTold = true;
        this.#warn(
          `Others on this machine can read ${this.#file}, which holds passwords: chmod 600 it.`,
        );
      }
      return new Map(Object.entries(parse(await handle.readFile('utf8')) ?? this.#refuse()));
    } catch (error) {
      // A folder can be opened, but not read.
      if (error instanceof LookaheadError) throw error;
      throw this.#unreadable(String((error as NodeJS.ErrnoException).code));
    } finally {
      await handle.close();
    }
  }

  /** Whole or not at all: into another file, which takes the place of this one. */
  async #write(all: ReadonlyMap<string, Credential>): Promise<void> {
    const fresh = `${this.#file}.${randomUUID()}`;
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      const handle = await open(fresh, 'wx', 0o600);
      try {
        await handle.writeFile(`${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(fresh, this.#file);
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => undefined);
      throw new LookaheadError(
        'config_unreadable',
        `The login cannot be kept (${String((error as NodeJS.ErrnoException).code)}).`,
        `Make ${this.#file} writable for the engine, or name another file with credentialsFile.`,
      );
    }
  }

  #refuse(): never {
    throw this.#unreadable('no JSON of NAME: { "username", "password" }');
  }

  /** Its parser's own words could quote a password. */
  #unreadable(why: string): LookaheadError {
    return new LookaheadError(
      'config_unreadable',
      `The file of credentials cannot be read: ${why}.`,
      `Mend ${this.#file}, or name another file with credentialsFile.`,
    );
  }
}

function parse(text: string): Record<string, Credential> | undefined {
  try {
    return FileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
