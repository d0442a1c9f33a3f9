/** The only file that knows onnxruntime. Its `run` holds the event loop, so only model children call it. */
import * as ort from 'onnxruntime-node';
import { LookaheadError, messageOf } from '../errors.js';
import { cudaUnusable } from './cuda-provider.js';
import type { Device } from './device.js';
import type { Graph } from './manifest.js';
import type { ClockMs } from './stopwatch.js';
import { bytesPerElement, sizeOf, type Tensor, type Tensors, type TensorType } from './tensor.js';

// The runtime reports its sessions to its maker, by HTTPS and with an id that it makes for this machine, unless it is told not
// to before the first one. Nothing of a camera's machine goes anywhere that the operator has not named.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

export interface SessionOptions {
  /** Threads of one run. Spinning is off, so that idle threads cost nothing. */
  readonly threads: number;
  /** `cpu` where it is left out. */
  readonly device?: Device;
  /** What stages are timed with, where it is not the monotonic clock: a bench counts CPU time. */
  readonly clock?: ClockMs;
}

export interface Session {
  /**
   * Runs the graph.
   *
   * @param into buffers that the graph writes outputs to, by their names; one of them may be an input too, which is then
   * changed in place
   * @throws LookaheadError `model_failed` where a feed does not fit or the runtime refuses
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  dispose(): Promise<void>;
}

type Expected = Graph['inputs'];

/**
 * Opens one graph and checks its inputs and outputs (names, types, shapes) against the manifest.
 *
 * @throws LookaheadError `bundle_invalid` where the file is no graph or differs from its manifest; `device_unusable`
 */
export async function openSession(
  path: string,
  graph: Graph,
  options: SessionOptions,
): Promise<Session> {
  const session = await create(path, graph.path, options);
  compare(graph.path, 'input', graph.inputs, session.inputMetadata);
  compare(graph.path, 'output', graph.outputs, session.outputMetadata);
  return {
    run: (feeds, into) => run(session, graph, feeds, into),
    dispose: () => session.release(),
  };
}

/**
 * What a graph that no manifest describes yet takes and gives; a free axis without a name is called by its place.
 *
 * @throws LookaheadError `bundle_invalid` where the file is no graph, or has tensors of a type that no bundle can have
 */
export async function describeGraph(
  path: string,
  options: SessionOptions,
): Promise<Pick<Graph, 'inputs' | 'outputs'>> {
  const session = await create(path, path, options);
  const describe = (found: readonly ort.InferenceSession.ValueMetadata[]): Expected =>
    found.map((value) => {
      const type = tensorTypes.find((one) => value.isTensor && one === value.type);
      if (!value.isTensor || type === undefined) {
        throw new LookaheadError(
          'bundle_invalid',
          `${path}: "${value.name}" is ${value.isTensor ? value.type : 'no tensor'}; ${tensorTypes.join(', ')} are known.`,
          'Export the graph again with float32 pictures, embeddings and points.',
        );
      }
      const shape = value.shape.map((dim, axis) =>
        typeof dim === 'number' ? (dim < 0 ? `axis${axis}` : dim) : dim || `axis${axis}`,
      );
      return { name: value.name, type, shape };
    });
  try {
    return { inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata) };
  } finally {
    await session.release();
  }
}

const tensorTypes = Object.keys(bytesPerElement) as TensorType[];

async function create(
  path: string,
  shown: string,
  options: SessionOptions,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(path, {
      executionProviders: options.device === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      extra: {
        session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } },
      },
      logSeverityLevel: 3,
    });
  } catch (error) {
    if (options.device === 'cuda' && isOfCuda(error)) throw await cudaUnusable(error);
    throw new LookaheadError(
      'bundle_invalid',
      `${shown} is no ONNX graph that this runtime can load: ${messageOf(error)}`,
      'Build the bundle again, or take a complete copy of it.',
      { cause: error },
    );
  }
}

/** A provider that cannot be loaded is named by its function; a card or driver that is missing, by CUDA's own error. */
function isOfCuda(error: unknown): boolean {
  return /ExecutionProvider_Cuda|CUDA(ExecutionProvider)? (failure|error)|CUDNN|CUBLAS|providers_cuda/i.test(
    messageOf(error),
  );
}

async function run(
  session: ort.InferenceSession,
  graph: Graph,
  feeds: Tensors,
  into: Tensors = {},
): Promise<Tensors> {
  const inputs: Record<string, ort.Tensor> = {};
  for (const expected of graph.inputs) {
    const feed = feeds[expected.name];
    if (feed === undefined) throw failed(graph, `input "${expected.name}" was not given`);
    if (feed.type !== expected.type || !fits(expected.shape, feed.dims)) {
      throw failed(
        graph,
        `input "${expected.name}" is ${feed.type} [${feed.dims.join(', ')}]` +
          ` and should be ${expected.type} [${expected.shape.join(', ')}]`,
      );
    }
    if (sizeOf(feed.dims) !== feed.data.length) {
      throw failed(graph, `input "${expected.name}" has ${feed.data.length} elements`);
    }
    inputs[expected.name] = new ort.Tensor(feed.type, feed.data, feed.dims);
  }
  let results: ort.InferenceSession.ReturnType;
  try {
    const fetches = graph.outputs.map(({ name }): [string, ort.Tensor | null] => {
      const buffer = into[name];
      return [name, buffer ? new ort.Tensor(buffer.type, buffer.data, buffer.dims) : null];
    });
    results = await session.run(inputs, Object.fromEntries(fetches));
  } catch (error) {
    throw failed(graph, messageOf(error), error);
  }
  const outputs: Record<string, Tensor> = {};
  for (const { name, type } of graph.outputs) {
    const result = results[name];
    if (result?.type !== type) throw failed(graph, `output "${name}" is not ${type}`);
    outputs[name] = { type, dims: result.dims, data: result.data } as Tensor;
  }
  return outputs;
}

/** A word in the expected shape is a free axis; a number must be that number. */
function fits(expected: Expected[number]['shape'], dims: readonly number[]): boolean {
  return (
    expected.length === dims.length &&
    expected.every((dim, axis) => typeof dim === 'string' || dim === dims[axis])
  );
}

function compare(
  path: string,
  side: 'input' | 'output',
  expected: Expected,
  found: readonly ort.InferenceSession.ValueMetadata[],
): void {
  const wrong = (what: string): LookaheadError =>
    new LookaheadError(
      'bundle_invalid',
      `${path}: ${what}.`,
      'The graph and the manifest are not of one build: build the bundle again.',
    );
  for (const tensor of expected) {
    const value = found.find(({ name }) => name === tensor.name);
    if (!value?.isTensor) throw wrong(`the graph has no ${side} "${tensor.name}"`);
    const type: string = value.type;
    // A graph may leave an axis free that the manifest fixes, never the other way round for an input.
    const sameShape =
      value.shape.length === tensor.shape.length &&
      tensor.shape.every((dim, axis) => {
        const graphDim = value.shape[axis];
        if (typeof graphDim === 'string' || graphDim === undefined) return true;
        return typeof dim === 'string' ? side === 'output' : dim === graphDim;
      });
    if (type !== (tensor.type satisfies TensorType) || !sameShape) {
      throw wrong(
        `${side} "${tensor.name}" is ${type} [${value.shape.join(', ')}],` +
          ` the manifest says ${tensor.type} [${tensor.shape.join(', ')}]`,
      );
    }
  }
  for (const { name } of found) {
    if (side === 'input' && !expected.some((tensor) => tensor.name === name)) {
      throw wrong(`the graph asks for an input "${name}" that the manifest does not name`);
    }
  }
}

function failed(graph: Graph, what: string, cause?: unknown): LookaheadError {
  return new LookaheadError(
    'model_failed',
    `${graph.path}: ${what}.`,
    'Run `./lookahead check`; if the bundle is whole, report this with the message.',
    cause === undefined ? undefined : { cause },
  );
}
