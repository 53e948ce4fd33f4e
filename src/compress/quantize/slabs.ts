import { tensorBytes } from '../../formats/stored-tensor.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';

/** Weights of a slab: 1 MB as f32, so that decoding and encoding stay in the processor's cache. */
const slabWeights = 1 << 18;

/** A row is converted as a whole, in memory; the longest known one is a bias of 10^6 weights. */
const mostColumns = 1 << 26;

/** What cutting needs to know: `importance` is `[experts, columns]`, or `[columns]` for all rows. */
interface Cuttable {
  readonly name: string;
  readonly importance?: Float32Array;
  /** Rows that are converted together, however many weights they have. */
  readonly rowsTogether?: number;
}

/** Some whole rows of one tensor. */
export interface SlabOfRows<Planned extends Cuttable> {
  readonly tensor: Tensor;
  readonly planned: Planned;
  readonly first: number;
  readonly rows: number;
  /** Bytes of these rows as they are stored. */
  readonly byteLength: number;
  /** One weight a column, those of the expert that the rows belong to. */
  readonly importance: Float32Array | undefined;
}

/**
 * Cuts tensors into slabs of rows, in the given order; a slab never crosses two experts. A tensor
 * without weights has none.
 *
 * @throws {@link PithError} `unsupported` for rows of more than 2^26 weights.
 */
export function* slabsOf<Planned extends Cuttable>(
  tensors: readonly Planned[],
  source: ReadonlyMap<string, Tensor>,
): Generator<SlabOfRows<Planned>> {
  for (const planned of tensors) {
    const tensor = source.get(planned.name)!;
    if (tensor.shape.includes(0)) continue;
    const columns = columnsOf(tensor.shape);
    if (columns > mostColumns) throw tooWide(tensor.name, columns);
    const rows = rowsOf(tensor.shape);
    const importances = Math.max(1, (planned.importance?.length ?? 0) / columns);
    const rowsEach = rows / importances;
    const rowBytes = tensorBytes(tensor.name, [columns], tensor.type);
    const most = planned.rowsTogether ?? Math.max(1, Math.floor(slabWeights / columns));
    for (let first = 0; first < rows;) {
      const expert = Math.floor(first / rowsEach);
      const count = Math.min(most, (expert + 1) * rowsEach - first);
      const importance = planned.importance?.subarray(expert * columns, (expert + 1) * columns);
      const byteLength = count * rowBytes;
      yield { tensor, planned, first, rows: count, byteLength, importance };
      first += count;
    }
  }
}

function tooWide(name: string, columns: number): PithError {
  return new PithError(
    'unsupported',
    `${name} has rows of ${columns} weights; Pith takes at most ${mostColumns}.`,
    'No known model has such rows: the file is damaged or hostile.',
  );
}
