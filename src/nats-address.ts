/** Where the server beside a running engine listens, so that `tail` and `replay` find it on whatever port it is. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const AddressSchema = z.object({ pid: z.int().positive(), url: z.string() });

const fileIn = (storeDir: string): string => join(storeDir, 'address.json');

/** Returns what forgets it. */
export function rememberAddress(storeDir: string, url: string): () => void {
  writeFileSync(fileIn(storeDir), JSON.stringify({ pid: process.pid, url }));
  return () => rmSync(fileIn(storeDir), { force: true });
}

/** Undefined where no engine with this store is running. */
export function knownAddress(storeDir: string): string | undefined {
  try {
    const { pid, url } = AddressSchema.parse(JSON.parse(readFileSync(fileIn(storeDir), 'utf8')));
    // Signal 0 only asks whether the process is there: an engine that was killed could not forget.
    process.kill(pid, 0);
    return url;
  } catch {
    return undefined;
  }
}
