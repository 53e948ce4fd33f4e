import type { Value } from './value.ts';

/** A value with the name under which data enters or leaves a graph. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** One call of an operator; `attributes` are those of its row in the operator table. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Value[];
}

/** A computation of static shapes: nodes in topological order between named inputs and outputs. */
export interface Graph {
  readonly inputs: readonly NamedValue[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly NamedValue[];
}
