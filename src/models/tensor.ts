/** Numbers with a shape, as they go into and come out of graphs and cross process borders. */
export type Tensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'uint8'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array };

export type TensorType = Tensor['type'];
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

export function float32(dims: readonly number[], data: Float32Array): Tensor {
  return { type: 'float32', dims, data };
}

export function uint8(dims: readonly number[], data: Uint8Array): Tensor {
  return { type: 'uint8', dims, data };
}

export function int64(dims: readonly number[], values: Iterable<number>): Tensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values, (value) => BigInt(value)) };
}

/** The float32 tensor of that name; a missing or differently typed one is a programming error. */
export function floats(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor?.type !== 'float32') {
    throw new Error(`Expected a float32 tensor "${name}", got ${tensor?.type ?? 'none'}.`);
  }
  return tensor.data;
}
