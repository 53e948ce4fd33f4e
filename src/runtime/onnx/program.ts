import type { Program, RunOptions, RunResult, StoredTensor } from '../../graph/engine.ts';
import type { Graph, NamedValue } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import { orCancelled } from '../../util/or-cancelled.ts';
import type { Line } from './line.ts';
import type { DenseTensor, RunRequest } from './protocol.ts';
import { OnnxStoredTensor } from './stored-tensor.ts';
import { checkData, checkNames, checkStored } from './tensor-checks.ts';

/** How to run a program of ONNX Runtime once. */
export interface OnnxRunOptions extends RunOptions {
  /**
   * Outputs to write into tensors that are stored already, which must not be inputs of the same run:
   * chains of runs then need no new memory. After a run that failed or was cancelled they hold anything.
   */
  readonly into?: Readonly<Record<string, StoredTensor>>;
}

/** A session of ONNX Runtime with its graph. */
export class OnnxProgram implements Program {
  readonly graph: Graph;
  readonly #line: Line;
  readonly #number: number;
  readonly #newNumber: () => number;

  constructor(line: Line, number: number, graph: Graph, newNumber: () => number) {
    this.graph = graph;
    this.#line = line;
    this.#number = number;
    this.#newNumber = newNumber;
  }

  /**
   * Runs the graph once.
   *
   * ONNX Runtime cannot be stopped inside a run: `signal` then rejects at once, the result is
   * dropped when it comes, and the next call waits for that.
   */
  async run(
    inputs: Readonly<Record<string, TensorData | StoredTensor>>,
    options: OnnxRunOptions = {},
  ): Promise<RunResult> {
    const { signal } = options;
    if (signal?.aborted) throw cancelled();
    const kept = this.#newTensors(options.keep ?? []);
    const running = this.#line.ask(this.#request(inputs, kept, options));
    const outputs = await orCancelled(running, signal, () => {
      releaseAll(kept);
      return cancelled();
    });
    return { outputs, kept };
  }

  async close(): Promise<void> {
    await this.#line.ask({ kind: 'close-program', program: this.#number });
  }

  #request(
    inputs: Readonly<Record<string, TensorData | StoredTensor>>,
    kept: Readonly<Record<string, OnnxStoredTensor>>,
    { outputs, into = {} }: OnnxRunOptions,
  ): RunRequest {
    const taken = new Set([...Object.keys(kept), ...Object.keys(into)]);
    const names = this.graph.outputs.map(({ name }) => name);
    const wanted = outputs ?? names.filter((name) => !taken.has(name));
    checkNames('input', this.graph.inputs, Object.keys(inputs));
    checkNames('output', this.graph.outputs, [...wanted, ...taken]);
    return {
      kind: 'run',
      program: this.#number,
      inputs: Object.fromEntries(
        this.graph.inputs.map((input) => [input.name, this.#input(input, inputs[input.name])]),
      ),
      outputs: wanted,
      keep: numbersOf(kept, this.#line),
      into: numbersOf(this.#checkedInto(into), this.#line),
    };
  }

  #input(input: NamedValue, given: TensorData | StoredTensor | undefined): DenseTensor | number {
    const { name, value } = input;
    if (given === undefined) throw new PithError('shape', `The input ${name} is missing.`);
    if (given instanceof OnnxStoredTensor) {
      checkStored(input, given);
      return given.numberOn(this.#line, name);
    }
    if (!ArrayBuffer.isView(given))
      throw new PithError('engine', `The tensor given as ${name} lies at another kind of engine.`);
    checkData(name, value.type, value.shape, given);
    return { type: value.type, shape: value.shape, data: given };
  }

  #checkedInto(into: Readonly<Record<string, StoredTensor>>): Record<string, OnnxStoredTensor> {
    const checked: Record<string, OnnxStoredTensor> = {};
    for (const output of this.graph.outputs) {
      const tensor = into[output.name];
      if (tensor === undefined) continue;
      checkStored(output, tensor);
      checked[output.name] = tensor as OnnxStoredTensor;
    }
    return checked;
  }

  #newTensors(names: readonly string[]): Record<string, OnnxStoredTensor> {
    checkNames('output', this.graph.outputs, names);
    const values = this.graph.outputs.filter(({ name }) => names.includes(name));
    return Object.fromEntries(
      values.map(({ name, value }) => [
        name,
        new OnnxStoredTensor(this.#line, this.#newNumber(), value),
      ]),
    );
  }
}

function numbersOf(
  tensors: Readonly<Record<string, OnnxStoredTensor>>,
  line: Line,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tensor.numberOn(line, name)]),
  );
}

/** Frees what a dropped run keeps, in the order of the line: after the run. */
function releaseAll(kept: Readonly<Record<string, OnnxStoredTensor>>): void {
  for (const tensor of Object.values(kept)) tensor.release().catch(() => undefined);
}

function cancelled(): PithError {
  return new PithError('cancelled', 'The run was cancelled.');
}
