import { stackedExperts } from '../../models/expert-stacks.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The tensor of one expert of a stack: `blk.0.ffn_up_exps.weight` → `blk.0.ffn_up_exps.3.weight`. */
export function expertName(stack: string, expert: number): string {
  return stack.replace(/\.(\w+)$/, `.${expert}.$1`);
}

/** The experts of a stack as tensors of their own, in order; none for a tensor that is no stack. */
export function expertTensors(stack: Tensor): Tensor[] {
  const [rows, columns] = stack.shape.slice(-2) as [number, number];
  return Array.from({ length: stackedExperts(stack) ?? 0 }, (_, expert) => ({
    name: expertName(stack.name, expert),
    shape: [rows, columns],
    type: stack.type,
    read: (first, count, into) => stack.read(expert * rows + first, count, into),
  }));
}
