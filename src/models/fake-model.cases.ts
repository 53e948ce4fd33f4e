import { meta, type MetadataValue } from '../formats/gguf/metadata.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Model } from './model.ts';

/** A model without weights for tests that look at names, shapes and keys only. */
export function fakeModel(description: {
  architecture: string;
  /** Hyper-parameters without the architecture's prefix. */
  keys?: Record<string, number>;
  shapes: Record<string, readonly number[]>;
  /** The type of matrices; vectors are F32. */
  type?: TensorType;
}): Model {
  const { architecture, keys = {}, shapes, type = 'F16' } = description;
  const metadata = new Map<string, MetadataValue>([
    ['general.architecture', meta.string(architecture)],
  ]);
  for (const [key, value] of Object.entries(keys)) {
    metadata.set(`${architecture}.${key}`, meta.uint32(value));
  }
  const tensors = Object.entries(shapes).map(([name, shape]): [string, Tensor] => [
    name,
    {
      name,
      shape,
      type: shape.length === 1 ? 'F32' : type,
      read: () => Promise.reject(new Error(`${name} has no weights`)),
    },
  ]);
  return {
    source: 'fake',
    files: [],
    architecture,
    metadata,
    tensors: new Map(tensors),
    notes: [],
    close: () => Promise.resolve(),
  };
}
