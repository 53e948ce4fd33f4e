import { roleOf, type Role } from '../quantize/roles.ts';

/** Tensors whose predicted costs are off by about the same factor. */
export type CostClass = 'embedding' | 'queryKey' | 'valueOutput' | 'gateUp' | 'down' | 'other';

const classOfRole: Readonly<Record<Role, CostClass>> = {
  head: 'embedding',
  embedding: 'embedding',
  query: 'queryKey',
  key: 'queryKey',
  value: 'valueOutput',
  attentionOutput: 'valueOutput',
  gate: 'gateUp',
  up: 'gateUp',
  down: 'down',
  other: 'other',
};

/** The class of the tensor with this GGUF name. */
export function costClassOf(name: string): CostClass {
  return classOfRole[roleOf(name)];
}
