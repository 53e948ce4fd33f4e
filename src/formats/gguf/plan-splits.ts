import { PithError } from '../../util/errors.ts';
import { alignmentOf, padded } from './alignment.ts';
import { tensorBytes } from '../stored-tensor.ts';
import type { Metadata, MetadataValue } from './metadata.ts';
import { meta } from './metadata.ts';
import { planGguf, type GgufPlan, type GgufTensorInfo } from './plan.ts';
import { splitKeys } from './split.ts';

/**
 * Lays out a model in several GGUF files of at most `maxBytes` of tensors each, headers not counted.
 *
 * One file when all fits; else the first holds all metadata, and part i is `splitFileName(…, i, n)`.
 *
 * @throws {@link PithError} `usage` when one tensor alone is larger than `maxBytes`.
 * @see tools/gguf-split of llama.cpp v0.5.0: same cuts and bytes as its `--split-max-size`, which
 * however lets a too large tensor through unless it is the first.
 */
export function planGgufSplits(
  metadata: Metadata,
  tensors: readonly GgufTensorInfo[],
  maxBytes: number,
): readonly GgufPlan[] {
  const whole = new Map(metadata);
  for (const key of splitKeys) whole.delete(key);
  const alignment = alignmentOf(whole, (problem) => new PithError('unsupported', problem));
  const groups = group(tensors, alignment, maxBytes);
  if (groups.length <= 1) return [planGguf(whole, tensors)];
  return groups.map((part, i) => {
    const keys: [string, MetadataValue][] = [
      ['split.no', meta.uint16(i)],
      ['split.tensors.count', meta.int32(tensors.length)],
      ['split.count', meta.uint16(groups.length)],
    ];
    return planGguf(new Map(i === 0 ? [...whole, ...keys] : keys), part);
  });
}

function group(
  tensors: readonly GgufTensorInfo[],
  alignment: number,
  maxBytes: number,
): GgufTensorInfo[][] {
  const groups: GgufTensorInfo[][] = [];
  let used = Infinity;
  for (const tensor of tensors) {
    const bytes = padded(tensorBytes(tensor.name, tensor.shape, tensor.type), alignment);
    if (bytes > maxBytes) {
      throw new PithError(
        'usage',
        `Tensor "${tensor.name}" takes ${bytes} bytes, more than the ${maxBytes} of one file.`,
        `Allow at least ${bytes} bytes a file.`,
      );
    }
    if (used + bytes > maxBytes) {
      groups.push([]);
      used = 0;
    }
    groups.at(-1)!.push(tensor);
    used += bytes;
  }
  return groups;
}
