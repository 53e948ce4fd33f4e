import type { Engine, StoredTensor } from '../../graph/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import type { ElementType, Shape, TensorData } from '../../graph/value.ts';
import { Line } from './line.ts';
import { OnnxProgram } from './program.ts';
import type { OnnxPort } from './protocol.ts';
import { OnnxStoredTensor } from './stored-tensor.ts';
import { checkData } from './tensor-checks.ts';

/** What an engine says of itself, and how it turns a graph into the bytes of an ONNX model. */
export interface OnnxEngineFacts {
  readonly name: string;
  readonly provider: string;
  readonly threads: number;
  /** Providers that were tried before this one, and why they are not used. */
  readonly passedOver: readonly { readonly provider: string; readonly reason: string }[];
}

/**
 * ONNX Runtime in a thread of its own, where sessions and stored tensors live.
 *
 * Stored data and results cross threads by handing memory over. A session keeps memory for its largest
 * run until it is closed.
 */
export class OnnxEngine implements Engine, OnnxEngineFacts {
  readonly name: string;
  readonly provider: string;
  readonly threads: number;
  readonly passedOver: OnnxEngineFacts['passedOver'];
  readonly #line: Line;
  readonly #toModel: (graph: Graph) => Promise<Uint8Array>;
  #lastNumber = 0;

  constructor(
    port: OnnxPort,
    facts: OnnxEngineFacts,
    toModel: (graph: Graph) => Promise<Uint8Array>,
  ) {
    this.name = facts.name;
    this.provider = facts.provider;
    this.threads = facts.threads;
    this.passedOver = facts.passedOver;
    this.#line = new Line(port);
    this.#toModel = toModel;
  }

  async compile(graph: Graph): Promise<OnnxProgram> {
    const model = await this.#toModel(graph);
    const program = this.#newNumber();
    await this.#line.ask({ kind: 'compile', program, model }, [model.buffer as ArrayBuffer]);
    return new OnnxProgram(this.#line, program, graph, () => this.#newNumber());
  }

  /**
   * Takes `data` over without a copy where it fills an `ArrayBuffer` of its own; parts of one and
   * shared memory, which ONNX Runtime for Node does not read, are copied.
   *
   * @throws PithError `shape` when `data` is not what type and shape say.
   */
  async store(type: ElementType, shape: Shape, data: TensorData): Promise<StoredTensor> {
    checkData('The tensor to store', type, shape, data);
    const own = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
    const value = { type, shape, data: own ? data : data.slice() };
    const tensor = this.#newNumber();
    await this.#line.ask({ kind: 'store', tensor, value }, [value.data.buffer as ArrayBuffer]);
    return new OnnxStoredTensor(this.#line, tensor, value);
  }

  /** Waits for the run that is under way, if any: ONNX Runtime cannot be stopped inside one. */
  async close(): Promise<void> {
    await this.#line.close();
  }

  #newNumber(): number {
    this.#lastNumber++;
    return this.#lastNumber;
  }
}
