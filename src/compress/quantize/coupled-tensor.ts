import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { PlannedTensor } from './quantization-plan.ts';

/** How the rounding errors of a matrix' weights bear on one another. */
export interface CouplingSource {
  /** How many neighbouring rows of a tensor are coupled: 1 for none, undefined without any coupling. */
  coupledRows(tensor: string): number | undefined;
  /** The coupling of rows `first` and on, as many as are coupled; undefined where there is none after all. */
  couplingOf(tensor: string, first: number): Promise<Coupling | undefined>;
}

/** A tensor, and whether its errors are fed back; coupled rows are converted together. */
export type Coupled<Planned> = Planned & {
  readonly isCoupled?: boolean;
  readonly rowsTogether?: number;
};

/** Couples a tensor where its new type has codes and the source a coupling. */
export function coupled<Planned extends Pick<PlannedTensor, 'name' | 'from' | 'to'>>(
  tensor: Planned,
  couplings: CouplingSource,
): Coupled<Planned> {
  const { name, from, to } = tensor;
  const rows = from !== to && hasGrid(to) ? couplings.coupledRows(name) : undefined;
  if (rows === undefined) return tensor;
  return { ...tensor, isCoupled: true, ...(rows > 1 && { rowsTogether: rows }) };
}
