import { PithError } from '../../util/errors.ts';
import type { Engine, Program, RunOptions, RunResult, StoredTensor } from '../engine.ts';
import type { Graph } from '../graph.ts';
import { demandInputs, tensorData } from '../tensor-data.ts';
import type { ElementType, Shape, TensorData } from '../value.ts';
import { evaluate } from './evaluate.ts';

/** Plain loops in doubles, rounded to f32 only where a result leaves: exact, slow, runs anywhere. */
export class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly provider = 'cpu';

  compile(graph: Graph): Promise<Program> {
    return Promise.resolve(new ReferenceProgram(graph));
  }

  store(type: ElementType, shape: Shape, data: TensorData): Promise<StoredTensor> {
    return Promise.resolve(new Stored(type, shape, Float64Array.from(data, Number)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class Stored implements StoredTensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly data: Float64Array;

  constructor(type: ElementType, shape: Shape, data: Float64Array) {
    this.type = type;
    this.shape = shape;
    this.data = data;
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

class ReferenceProgram implements Program {
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  async run(
    inputs: Readonly<Record<string, TensorData | StoredTensor>>,
    { outputs, keep = [], signal }: RunOptions = {},
  ): Promise<RunResult> {
    if (signal?.aborted) throw new PithError('cancelled', 'the run was cancelled');
    demandInputs(this.graph, inputs);
    const numbers = Object.entries(inputs).map(([name, given]) => [name, doubles(given)] as const);
    const results = evaluate(this.graph, Object.fromEntries(numbers));
    const returned: Record<string, TensorData> = {};
    const kept: Record<string, StoredTensor> = {};
    for (const { name, value } of this.graph.outputs) {
      const data = results[name]!;
      if (keep.includes(name)) kept[name] = new Stored(value.type, value.shape, data);
      else if (outputs?.includes(name) ?? true) returned[name] = tensorData(value.type, data);
    }
    return { outputs: returned, kept };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function doubles(given: TensorData | StoredTensor): Float64Array {
  if (given instanceof Stored) return given.data;
  if ('release' in given)
    throw new PithError('usage', 'a tensor that another engine stored cannot be an input');
  return Float64Array.from(given, Number);
}
