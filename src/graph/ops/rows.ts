import type { OnnxAttribute, OnnxNode } from '../../formats/onnx/model.ts';
import type { OnnxCall, OpRow, Typed } from '../op-row.ts';
import type { AnySignature, Op, Signatures } from '../signatures.ts';
import type { Value } from '../value.ts';

/** Rows of the operators `O`. */
export type Rows<O extends Op> = { readonly [Name in O]: OpRow<Signatures[Name]> };

/** The type and shape of one operand, as those of a result. */
export function like({ type, shape }: Value): Typed {
  return { type, shape };
}

/** One ONNX node with the operands and results of the call, and perhaps more operands. */
export function node<S extends AnySignature>(
  opType: string,
  call: OnnxCall<S>,
  more: {
    readonly operands?: readonly string[];
    readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  } = {},
): OnnxNode {
  const { operands = [], attributes } = more;
  const inputs = [...call.inputs, ...operands];
  return { opType, inputs, outputs: call.outputs, ...(attributes && { attributes }) };
}

/** An ONNX integer attribute. */
export function int(value: number | boolean): OnnxAttribute {
  return { type: 'int', value: Number(value) };
}
