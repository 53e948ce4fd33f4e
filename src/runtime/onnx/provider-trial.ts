import type { OnnxModel } from '../../formats/onnx/model.ts';
import { writeOnnx } from '../../formats/onnx/write.ts';
import { OnnxHost } from './host.ts';
import { importOnnxRuntime, installedOnnxRuntime } from './library.ts';
import type { DenseTensor, OnnxRequest } from './protocol.ts';

/** How a provider did at one matrix product of Pith's size. */
export interface ProviderTrial {
  /** Of onnxruntime-node. */
  readonly version: string;
  /** Largest difference to the product in doubles, relative to its root mean square. */
  readonly relativeError: number;
  /** The quickest of some runs, operands handed over each time. */
  readonly milliseconds: number;
}

const rows = 256;
const inner = 512;
const columns = 512;
const runs = 5;

/**
 * Multiplies `[256,512] × [512,512]` on one provider, in this process, which may die of it.
 *
 * @throws PithError `engine`, `engine-missing`.
 */
export async function tryProvider(provider: string, threads: number): Promise<ProviderTrial> {
  const host = new OnnxHost(await importOnnxRuntime(), { provider, threads });
  const ask = async (request: OnnxRequest) => {
    const reply = await host.handle({ id: 0, request });
    if (reply.error) throw new Error(reply.error.message);
    return reply.answer;
  };
  await ask({ kind: 'compile', program: 0, model: await writeOnnx(product) });
  const a = wave([rows, inner], 0.37);
  const b = wave([inner, columns], 0.11);
  const request = { kind: 'run', program: 0, inputs: { a, b }, outputs: ['y'], keep: {}, into: {} };
  let milliseconds = Infinity;
  let y = new Float32Array();
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    y = (await ask(request as OnnxRequest))['y'] as Float32Array<ArrayBuffer>;
    milliseconds = Math.min(milliseconds, performance.now() - start);
  }
  await ask({ kind: 'close' });
  return { version: installedOnnxRuntime(), relativeError: errorOf(y, a, b), milliseconds };
}

const product: OnnxModel = {
  irVersion: 10,
  opsets: { '': 21 },
  producerName: 'pith',
  producerVersion: '',
  metadata: {},
  graph: {
    name: 'trial',
    nodes: [{ opType: 'MatMul', inputs: ['a', 'b'], outputs: ['y'] }],
    inputs: [
      { name: 'a', elementType: 'FLOAT', shape: [rows, inner] },
      { name: 'b', elementType: 'FLOAT', shape: [inner, columns] },
    ],
    outputs: [{ name: 'y', elementType: 'FLOAT', shape: [rows, columns] }],
    initializers: [],
  },
};

/** Values whose mantissas are full, so that a provider that shortens them shows. */
function wave(shape: readonly [number, number], step: number): DenseTensor {
  const data = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i * step));
  return { type: 'f32', shape, data };
}

/** Against 32 rows in doubles. */
function errorOf(y: Float32Array, { data: a }: DenseTensor, { data: b }: DenseTensor): number {
  let largest = 0;
  let squares = 0;
  for (let row = 0; row < rows; row += 8) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += (a[row * inner + k] as number) * (b[k * columns + column] as number);
      largest = Math.max(largest, Math.abs(y[row * columns + column]! - sum));
      squares += sum * sum;
    }
  }
  return largest / Math.sqrt(squares / ((rows / 8) * columns));
}
