import type { Node } from '../graph.ts';
import { sameShape } from '../shapes.ts';
import type { Value } from '../value.ts';
import { type Constants, constantNumber } from './fold-constants.ts';

/** The right operand that changes nothing; for the commutative ones, the left one too. */
const neutral: Readonly<Record<string, number>> = { add: 0, sub: 0, mul: 1, div: 1, pow: 1 };
const commutative = new Set(['add', 'mul']);

/** The operand that a node returns unchanged, if it does. */
export function unchangedOperand(node: Node, constants: Constants): Value | undefined {
  const { op, inputs, outputs } = node;
  const [a, b] = inputs;
  const candidate = op in neutral ? besideNeutral(op, [a!, b!], constants) : a;
  const keepsElements = op in neutral || op === 'reshape' || op === 'expand' || keepsOrder(node);
  if (!candidate || !keepsElements) return undefined;
  return sameShape(candidate.shape, outputs[0]!.shape) ? candidate : undefined;
}

function besideNeutral(
  op: string,
  [a, b]: readonly [Value, Value],
  constants: Constants,
): Value | undefined {
  if (constantNumber(b, constants) === neutral[op]) return a;
  return commutative.has(op) && constantNumber(a, constants) === neutral[op] ? b : undefined;
}

function keepsOrder({ op, attributes }: Node): boolean {
  if (op !== 'transpose') return false;
  return (attributes['perm'] as readonly number[]).every((from, to) => from === to);
}
