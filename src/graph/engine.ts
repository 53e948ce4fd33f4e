import type { Graph } from './graph.ts';
import type { ElementType, Shape, TensorData } from './value.ts';

/**
 * Something that runs graphs: the scalar reference, ONNX Runtime in a worker, ONNX Runtime in a
 * browser. Calls of one engine are carried out one after the other.
 */
export interface Engine {
  /** For reports: name and version of the library. */
  readonly name: string;
  /** What computes: `cpu`, `cuda`, `webgpu`, `coreml` ... */
  readonly provider: string;
  /** Prepares a graph; programs are few and long-lived, as making them costs and may leak. */
  compile(graph: Graph): Promise<Program>;
  /** Keeps data at the engine, for any number of runs of any of its programs. Takes over `data`. */
  store(type: ElementType, shape: Shape, data: TensorData): Promise<StoredTensor>;
  /** Releases programs, stored tensors and threads. */
  close(): Promise<void>;
}

/** Data that lies at an engine until it is released. */
export interface StoredTensor {
  readonly type: ElementType;
  readonly shape: Shape;
  release(): Promise<void>;
}

/** How to run a program once. */
export interface RunOptions {
  /** Outputs to return, by name. Default: all. */
  readonly outputs?: readonly string[];
  /** Outputs to keep at the engine instead of returning them, as inputs of later runs. */
  readonly keep?: readonly string[];
  readonly signal?: AbortSignal;
}

/** What a run gives back. */
export interface RunResult {
  readonly outputs: Readonly<Record<string, TensorData>>;
  readonly kept: Readonly<Record<string, StoredTensor>>;
}

/** A graph made ready to run. */
export interface Program {
  readonly graph: Graph;
  /**
   * Runs the graph once on inputs by name.
   *
   * @throws PithError `shape` for inputs that are missing, unknown or of the wrong size; `cancelled`;
   *   `engine` when the library fails, with its message.
   */
  run(
    inputs: Readonly<Record<string, TensorData | StoredTensor>>,
    options?: RunOptions,
  ): Promise<RunResult>;
  close(): Promise<void>;
}
