/** Numbers with a shape, as they go into and come out of graphs and cross process borders. */
export type Tensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'uint8'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array };

export type TensorType = Tensor['type'];
export type Uint8Tensor = Extract<Tensor, { type: 'uint8' }>;
export type Float32Tensor = Extract<Tensor, { type: 'float32' }>;
export type Tensors = Readonly<Record<string, Tensor>>;

export const bytesPerElement: Readonly<Record<TensorType, number>> = {
  float32: 4,
  uint8: 1,
  int64: 8,
  bool: 1,
};

/** How many elements a shape holds; 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

export function float32(dims: readonly number[], data: Float32Array): Float32Tensor {
  return { type: 'float32', dims, data };
}

export function uint8(dims: readonly number[], data: Uint8Array): Uint8Tensor {
  return { type: 'uint8', dims, data };
}

export function int64(dims: readonly number[], values: Iterable<number>): Tensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values, (value) => BigInt(value)) };
}

/** One behind the other. */
export function concatFloats(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Byte tensors of one shape, one behind the other along their first axis. One alone is not copied. */
export function joinRows(tensors: readonly Uint8Tensor[]): Uint8Tensor {
  const [first, ...others] = tensors;
  if (first === undefined) throw new Error('No tensors to join.');
  if (others.length === 0) return first;
  const wrong = others.find(({ dims }) => dims.join() !== first.dims.join());
  if (wrong)
    throw new Error(`Cannot join [${wrong.dims.join(', ')}] to [${first.dims.join(', ')}].`);
  const [rows = 1, ...rest] = first.dims;
  const data = new Uint8Array(first.data.length * tensors.length);
  tensors.forEach((one, index) => data.set(one.data, index * first.data.length));
  return { type: 'uint8', dims: [rows * tensors.length, ...rest], data };
}

/** A batch's rows along its first axis, [1, ...] each. Copies: a view would keep the whole batch in memory. */
export function splitRows(tensors: Tensors, name: string): Float32Tensor[] {
  const all = floats(tensors, name);
  const [rows = 1, ...rest] = tensors[name]?.dims ?? [];
  const dims = [1, ...rest];
  if (rows === 1) return [{ type: 'float32', dims, data: all }];
  const size = sizeOf(dims);
  return Array.from({ length: rows }, (_, row) => ({
    type: 'float32',
    dims,
    data: all.slice(row * size, (row + 1) * size),
  }));
}

/** The float32 tensor of that name; a missing or differently typed one is a programming error. */
export function floats(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor?.type !== 'float32') {
    throw new Error(`Expected a float32 tensor "${name}", got ${tensor?.type ?? 'none'}.`);
  }
  return tensor.data;
}
