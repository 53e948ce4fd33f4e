import type { OnnxElementType } from '../../formats/onnx/model.ts';
import type { ElementType } from '../value.ts';

/** ONNX's names of our element types. */
export const onnxTypes: { readonly [T in ElementType]: OnnxElementType } = {
  f32: 'FLOAT',
  i64: 'INT64',
  bool: 'BOOL',
};
