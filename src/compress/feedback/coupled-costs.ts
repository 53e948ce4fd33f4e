import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import { chooseRows, type RowChoiceOptions } from './row-choice.ts';

/** What costs are predicted with. */
export interface CoupledCostOptions extends RowChoiceOptions {
  readonly transcoder: Transcoder;
}

/**
 * Predicts the KL divergence of storing a matrix as each type with its errors fed back, nats a token: half the
 * coupled error of rows that are really encoded.
 *
 * @returns By type, those left out that errors cannot be fed back into; undefined for a matrix without coupling.
 * @throws PithError `not-found`, `unsupported` for evidence without the matrix or its gradients; what reading throws.
 * @remarks Rows that are coupled are neighbours, at most `rows` of one block; the damping of the factors is in the cost.
 */
export async function coupledCosts(
  tensor: Tensor,
  types: readonly EncodableType[],
  options: CoupledCostOptions,
): Promise<Map<EncodableType, number> | undefined> {
  const { couplings, transcoder } = options;
  const columnFactors = await couplings.columnFactors(tensor.name);
  if (!columnFactors) return undefined;
  const { rows, rowFactors, scale } = await chooseRows(tensor.name, options);
  const values = await readRowsAt(tensor, rows, transcoder);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const coupling: Coupling = { columnFactors, rowFactors };
  const costs = await Promise.all(
    types.filter(hasGrid).map(async (to) => {
      const columns = columnsOf(tensor.shape);
      const coded = await transcoder.transcode({ from: 'F32', to, columns, bytes, coupling });
      coded.release();
      return [to, (scale * coded.coupledError!) / 2] as const;
    }),
  );
  return new Map(costs);
}
