/** Where the server beside a running engine listens, so that `tail` and `replay` find it on whatever port it is. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from './config.js';
import { greets } from './nats-server.js';
import { defaultStoreDir } from './places.js';

const AddressSchema = z.object({ pid: z.int().positive(), url: z.string() });

const fileIn = (storeDir: string): string => join(storeDir, 'address.json');

/** Returns what forgets it. */
export function rememberAddress(storeDir: string, url: string): () => void {
  writeFileSync(fileIn(storeDir), JSON.stringify({ pid: process.pid, url }));
  return () => rmSync(fileIn(storeDir), { force: true });
}

/**
 * Undefined where no other engine with this store is running. An engine that was killed could not forget, and in a
 * container its process id soon belongs to somebody else, perhaps to us: only a server that answers proves the engine.
 */
export async function knownAddress(storeDir: string): Promise<string | undefined> {
  try {
    const { pid, url } = AddressSchema.parse(JSON.parse(readFileSync(fileIn(storeDir), 'utf8')));
    if (pid === process.pid || !isRunning(pid)) return undefined;
    return (await greets(Number(new URL(url).port))) ? url : undefined;
  } catch {
    return undefined;
  }
}

/** The server beside an engine of this folder, for readers whose configuration names no other. */
export async function addressBeside({ nats }: Pick<Config, 'nats'>): Promise<string | undefined> {
  return nats.servers === null ? knownAddress(nats.storeDir ?? defaultStoreDir) : undefined;
}

function isRunning(pid: number): boolean {
  try {
    // Signal 0 only asks whether the process is there.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // There, under another user.
  }
}
