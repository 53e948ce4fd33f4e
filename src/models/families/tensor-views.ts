import { unitOf, type TensorType } from '../../tensor/dtypes.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { bf16ToF32, f16ToF32 } from '../../util/half-float.ts';

/** A vector of F32 values that was computed instead of read. */
export function float32Tensor(name: string, values: Float32Array): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return {
    name,
    shape: [values.length],
    type: 'F32',
    read: (first, count) => {
      const whole = first === 0 && count === 1;
      return whole
        ? Promise.resolve(bytes)
        : Promise.reject(new PithError('shape', `${name} has one row, asked for ${count}.`));
    },
  };
}

/** The same tensor under another name. */
export function renamed(tensor: Tensor, name: string): Tensor {
  return { ...tensor, name, read: (first, count, into) => tensor.read(first, count, into) };
}

/** Tensors of one shape on top of each other, `[count, ...shape]`: experts, or norms of heads. */
export function stacked(parts: readonly Tensor[], name: string): Tensor {
  const [{ shape, type }] = parts as readonly [Tensor];
  if (parts.some((part) => part.type !== type)) {
    throw new PithError(
      'unsupported',
      `${parts.length} tensors that make up ${name} are stored in different types.`,
      'Convert the checkpoint to one element type first.',
    );
  }
  const rows = rowsOf(shape);
  const rowBytes = (columnsOf(shape) / unitOf(type).weights) * unitOf(type).bytes;
  return {
    name,
    shape: [parts.length, ...shape],
    type,
    async read(first, count, into) {
      const within = first % rows;
      if (within + count <= rows) return parts[Math.floor(first / rows)]!.read(within, count, into);
      const out = into?.subarray(0, count * rowBytes) ?? new Uint8Array(count * rowBytes);
      let row = first;
      while (row < first + count) {
        const next = Math.min((Math.floor(row / rows) + 1) * rows, first + count);
        const bytes = await parts[Math.floor(row / rows)]!.read(row % rows, next - row);
        out.set(bytes, (row - first) * rowBytes);
        row = next;
      }
      return out;
    },
  };
}

/**
 * The values in F32: llama.cpp computes with routers, positions and token types in that type only.
 *
 * @see ModelBase.prepare_tensors in conversion/base.py, llama.cpp v0.5.0.
 */
export function widened(tensor: Tensor): Tensor {
  return tensor.type === 'F32' ? tensor : inFloat32(tensor, 0);
}

/** The values with 1 added, in F32: Gemma stores norm weights less one. */
export function plusOne(tensor: Tensor): Tensor {
  return inFloat32(tensor, 1);
}

function inFloat32(tensor: Tensor, shift: number): Tensor {
  const widen = widenings[tensor.type];
  if (!widen) {
    throw new PithError(
      'unsupported',
      `${tensor.name} is stored as ${tensor.type}, where numbers are needed.`,
      'Use the original checkpoint in BF16, F16 or F32.',
    );
  }
  return {
    ...tensor,
    type: 'F32',
    async read(first, count) {
      const bytes = await tensor.read(first, count);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values = new Float32Array(bytes.length / unitOf(tensor.type).bytes);
      for (let at = 0; at < values.length; at++) values[at] = widen(view, at) + shift;
      return new Uint8Array(values.buffer);
    },
  };
}

const widenings: Partial<Record<TensorType, (view: DataView, at: number) => number>> = {
  F32: (view, at) => view.getFloat32(4 * at, true),
  F16: (view, at) => f16ToF32(view.getUint16(2 * at, true)),
  BF16: (view, at) => bf16ToF32(view.getUint16(2 * at, true)),
};
