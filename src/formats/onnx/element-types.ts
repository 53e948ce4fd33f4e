import { PithError } from '../../util/errors.ts';
import { onnxElementTypes, type OnnxElementType, type OnnxTensor } from './model.ts';

/** Element types of `TensorProto.DataType` that have no row in `onnxElementTypes`. */
const others: ReadonlyMap<number, string> = new Map([
  [0, 'UNDEFINED'],
  [8, 'STRING'],
  [14, 'COMPLEX64'],
  [15, 'COMPLEX128'],
  [17, 'FLOAT8E4M3FN'],
  [18, 'FLOAT8E4M3FNUZ'],
  [19, 'FLOAT8E5M2'],
  [20, 'FLOAT8E5M2FNUZ'],
  [23, 'FLOAT4E2M1'],
  [24, 'FLOAT8E8M0'],
  [25, 'UINT2'],
  [26, 'INT2'],
  [27, 'FLOAT6E2M3'],
  [28, 'FLOAT6E3M2'],
]);

const byId = new Map(
  Object.entries(onnxElementTypes).map(([name, { id }]) => [id, name as OnnxElementType]),
);

/**
 * The element type with a number of `TensorProto.DataType`.
 *
 * @param what - Whose type it is, for messages.
 * @throws {@link PithError} `unsupported` with the type's name when Pith has no use for it.
 */
export function elementTypeOf(id: bigint, what: string): OnnxElementType {
  const type = byId.get(Number(id) as (typeof onnxElementTypes)[OnnxElementType]['id']);
  if (type !== undefined) return type;
  const name = others.get(Number(id)) ?? 'no type of ONNX 1.23';
  throw new PithError(
    'unsupported',
    `${what}: element type ${id} (${name}) is none that Pith reads.`,
    `Export the model with ${Object.keys(onnxElementTypes).join(', ')} only.`,
  );
}

/**
 * Bytes of a tensor of this type and shape; 4-bit elements fill whole bytes.
 *
 * @throws {@link PithError} `corrupt` for a size that is no integer ≥ 0, or a product beyond 2^53.
 */
export function onnxTensorBytes({ name, elementType, shape }: Omit<OnnxTensor, 'data'>): number {
  let elements = 1;
  if (shape.includes(0)) elements = 0;
  for (const size of shape) {
    const valid = Number.isSafeInteger(size) && size >= 0;
    elements *= size;
    if (valid && Number.isSafeInteger(elements * 8)) continue;
    throw new PithError(
      'corrupt',
      `${name}: the shape [${shape.join(', ')}] is no shape of a constant.`,
      'Sizes are integers of 0 and more, their product is below 2^50.',
    );
  }
  return Math.ceil((elements * onnxElementTypes[elementType].bits) / 8);
}
