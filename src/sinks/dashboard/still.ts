/** Still pictures: key frames as the models saw them, privacy masks burned in. */
import { paths } from '../../http/contract.js';

export interface Still {
  readonly bitmap: ImageBitmap;
  readonly atMs: number;
}

/** The engine remembers about so much; what is older is not asked for. */
export const stillsKeptMs = 38_000;

/** So many requests at once; a page of twenty cameras would else hold all of the browser's connections. */
const requestsMax = 3;
let running = 0;
const waiting: (() => void)[] = [];

/** Undefined: there is none. Rejects where the engine does not answer, or the signal says so. */
export async function fetchStill(
  camera: string,
  at: string | undefined,
  signal: AbortSignal,
): Promise<Still | undefined> {
  const query = new URLSearchParams({ camera, ...(at === undefined ? {} : { at }) });
  await turn();
  try {
    if (signal.aborted) return undefined;
    const response = await fetch(`${paths.still}?${query.toString()}`, {
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    if (response.status === 404 || response.status === 204) return undefined;
    if (!response.ok) throw new Error(`The engine answered ${response.status}.`);
    const atMs = Date.parse(response.headers.get('x-lookahead-at') ?? '');
    const bitmap = await createImageBitmap(await response.blob());
    return { bitmap, atMs: Number.isNaN(atMs) ? Date.now() : atMs };
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

async function turn(): Promise<void> {
  if (running >= requestsMax) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
}
