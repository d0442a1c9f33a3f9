/** A file that is there is whole: it is written under another name and renamed. */
import { rename, writeFile } from 'node:fs/promises';

/** Of what is being written; it ends with the writer's process id, so that no two write to one file. */
export const partialMark = '.partial-';

export const partialOf = (path: string): string => `${path}${partialMark}${String(process.pid)}`;

export async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  await writeFile(partialOf(path), content);
  await rename(partialOf(path), path);
}
