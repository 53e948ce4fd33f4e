import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readOnnx, writeOnnx } from '../../src/formats/onnx/index.ts';
import type { Graph } from '../../src/graph/index.ts';
import { elementTypeOf, tensorData, toOnnx, type TensorData } from '../../src/graph/index.ts';
import { memorySource } from '../../src/util/memory-source.ts';

const onnxNames = { f32: 'float32', i64: 'int64', bool: 'bool' } as const;

/** Elements and sizes that ONNX Runtime gives for each output of a graph. */
export type OnnxResults = Record<string, { data: Float64Array; shape: readonly number[] }>;

/** Runs a graph in ONNX Runtime on the CPU, on numbers that are rounded to the types of its inputs. */
export async function runOnnx(
  graph: Graph,
  inputs: Readonly<Record<string, Float64Array>>,
): Promise<OnnxResults> {
  const session = await InferenceSession.create(await writeOnnx(toOnnx(graph)), {
    logSeverityLevel: 3,
  });
  const feeds = graph.inputs.map(({ name, value: { type, shape } }) => {
    const data: TensorData = tensorData(type, inputs[name]!);
    return [name, new Tensor(onnxNames[elementTypeOf(data)], data, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [
      name,
      { data: Float64Array.from(data as TensorData, Number), shape: dims },
    ]),
  );
}

/** The operators that ONNX Runtime makes of a graph when it optimizes it. */
export async function kernelsOf(graph: Graph): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pith-graph-'));
  const optimizedModelFilePath = join(folder, 'optimized.onnx');
  try {
    const session = await InferenceSession.create(await writeOnnx(toOnnx(graph)), {
      logSeverityLevel: 3,
      optimizedModelFilePath,
    });
    await session.release();
    const { graph: optimized } = await readOnnx(
      memorySource(await readFile(optimizedModelFilePath)),
    );
    return optimized.nodes.map(({ opType }) => opType);
  } finally {
    await rm(folder, { recursive: true });
  }
}
