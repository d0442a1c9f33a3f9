import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ManifestSchema, type Manifest } from '../../src/models/manifest.js';
import { bytesPerElement, type Tensor, type Tensors } from '../../src/models/tensor.js';

/** The shipped bundle. */
export const yardDir = fileURLToPath(new URL('../../bundles/yard', import.meta.url));

export function yardManifest(): Manifest {
  return ManifestSchema.parse(JSON.parse(readFileSync(`${yardDir}/manifest.json`, 'utf8')));
}

interface StoredTensor {
  readonly type: Tensor['type'];
  readonly shape: readonly number[];
  readonly data: string | readonly number[];
}
export interface Golden {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly tolerance: number;
}

/** What PyTorch gave for `golden/<name>.json`. */
export function golden(name: string): Golden {
  const stored = JSON.parse(readFileSync(`${yardDir}/golden/${name}.json`, 'utf8')) as {
    inputs: Record<string, StoredTensor>;
    outputs: Record<string, StoredTensor>;
    tolerance: number;
  };
  const read = (tensors: Record<string, StoredTensor>): Tensors =>
    Object.fromEntries(Object.entries(tensors).map(([key, value]) => [key, tensorOf(value)]));
  return { ...stored, inputs: read(stored.inputs), outputs: read(stored.outputs) };
}

function tensorOf({ type, shape, data }: StoredTensor): Tensor {
  const raw =
    typeof data === 'string'
      ? new Uint8Array(Buffer.from(data.replace(/^base64:/, ''), 'base64')).buffer
      : null;
  const numbers = typeof data === 'string' ? [] : data;
  if (raw !== null && raw.byteLength % bytesPerElement[type] !== 0) throw new Error('Cut tensor.');
  switch (type) {
    case 'float32':
      return { type, dims: shape, data: raw ? new Float32Array(raw) : Float32Array.from(numbers) };
    case 'int64':
      return {
        type,
        dims: shape,
        data: raw ? new BigInt64Array(raw) : BigInt64Array.from(numbers, (n) => BigInt(n)),
      };
    case 'uint8':
    case 'bool':
      return { type, dims: shape, data: raw ? new Uint8Array(raw) : Uint8Array.from(numbers) };
  }
}

/** The largest difference between two tensors, relative to 1 or to the expected number where that is larger. */
export function largestDifference(found: Tensor, expected: Tensor): number {
  if (found.dims.join() !== expected.dims.join()) {
    throw new Error(`Shapes differ: [${found.dims.join()}] and [${expected.dims.join()}].`);
  }
  let largest = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const wanted = Number(expected.data[i]);
    const difference = Math.abs(Number(found.data[i]) - wanted) / Math.max(1, Math.abs(wanted));
    // Written so that NaN is the largest difference of all.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
