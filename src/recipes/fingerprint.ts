import { createHash } from 'node:crypto';
import type { QuantizationPlan } from '../compress/quantize/quantization-plan.ts';
import type { Model } from '../models/model.ts';
import { rowsOf, type Tensor } from '../tensor/tensor.ts';

/** Rows of each tensor that stand for all of them. */
const sampledRows = 8;

/**
 * A hash of everything that determines a quantized file's bytes: header, importance and, standing for
 * the weights, some rows of every tensor.
 *
 * @param salts - What else decides: Pith's version, size and time of the files.
 * @remarks Reads at most 8 rows a tensor.
 */
export async function fingerprint(
  model: Model,
  plan: QuantizationPlan,
  salts: readonly string[],
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(salts)).update(plan.layout.header);
  for (const { name, importance } of plan.tensors) {
    if (importance) hash.update(new Uint8Array(importance.buffer.slice(0)));
    const tensor = model.tensors.get(name)!;
    for (const row of rowSample(tensor)) hash.update(await tensor.read(row, 1));
  }
  return hash.digest('hex');
}

function rowSample(tensor: Tensor): Set<number> {
  const rows = rowsOf(tensor.shape);
  const at = (part: number) => Math.floor((part * (rows - 1)) / (sampledRows - 1));
  return new Set(rows > 0 ? Array.from({ length: sampledRows }, (_, part) => at(part)) : []);
}
