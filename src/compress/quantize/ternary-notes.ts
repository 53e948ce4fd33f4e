import type { EncodableType } from '../../kernels/kernels.ts';
import { scalarDecoders } from '../../kernels/scalar-decoders.ts';
import { scalarKernels } from '../../kernels/scalar.ts';
import type { Model } from '../../models/model.ts';
import { blockTypes } from '../../tensor/block-types.ts';
import { columnsOf, rowsOf } from '../../tensor/tensor.ts';
import type { PlannedTensor } from './quantization-plan.ts';

/** Types whose blocks hold −d, 0 and d, and those of −d and d alone. */
const fewLevels: Partial<Record<EncodableType, string>> = {
  TQ1_0: 'three values',
  TQ2_0: 'three values',
  Q2_0: 'four values',
  Q1_0: 'two values',
};

/** Matrices looked at, spread over the file, and rows of each. */
const looks = { matrices: 24, rows: 4 } as const;

/** Below it the only error is that of scales in binary16, at most 2⁻¹¹ of them. */
const scaleRounding = 2 ** -11;

/** By pith evaluate on the text in the box: TQ2_0 and Q2_K without an imatrix of the model in the box, against it. */
const exampleOfLoss =
  'Of the model in the box, TQ2_0 changes 44 % of the likeliest tokens (KL divergence 0.39 nats a token), ' +
  'Q2_K 18 % (0.04).';

/** Rounding some rows of a matrix to a type. */
interface Look {
  readonly squaredError: number;
  readonly squaredNorm: number;
}

/**
 * What a user should know who asks for a type of so few levels that only models trained for it survive, by rounding
 * some rows: how many matrices hold such weights, and what is lost where they do not. For other types, whether the
 * weights are ternary, which TQ2_0 would store without loss.
 *
 * @param tensors - Of the plan.
 * @remarks Rounds up to 96 rows; 4 when the first matrix is not ternary and no such type was asked for. Weights that
 *   are not finite are left to the writer.
 */
export async function ternaryNotes(
  model: Model,
  tensors: readonly PlannedTensor[],
): Promise<string[]> {
  const matrices = tensors.filter(
    ({ from, to, reason }) => reason !== 'kept' && from !== to && blockTypes[to].weights > 1,
  );
  const types = [...new Set(matrices.map(({ to }) => to as EncodableType))];
  const asked = types.filter((type) => type in fewLevels);
  if (asked.length === 0) return suggestion(model, matrices);
  const notes = asked.map((type) =>
    lossNote(
      model,
      type,
      matrices.filter(({ to }) => to === type),
    ),
  );
  return Promise.all(notes);
}

async function suggestion(model: Model, matrices: readonly PlannedTensor[]): Promise<string[]> {
  const able = matrices.filter(
    ({ name, shape }) =>
      name.startsWith('blk.') && columnsOf(shape) % blockTypes.TQ2_0.weights === 0,
  );
  let seen = 0;
  for (const tensor of spread(able)) {
    const look = await roundSome(model, tensor, 'TQ2_0');
    if (!isStored(look)) return [];
    seen += look.squaredNorm > 0 ? 1 : 0;
  }
  if (seen === 0) return [];
  return [
    `The weights are ternary (${seen} of ${able.length} matrices were looked at): --type TQ2_0 stores them in ` +
      '2.06 bits without loss.',
  ];
}

async function lossNote(
  model: Model,
  type: EncodableType,
  tensors: readonly PlannedTensor[],
): Promise<string> {
  const found: Look[] = [];
  for (const tensor of spread(tensors)) found.push(await roundSome(model, tensor, type));
  const lost = found.filter((look) => !isStored(look));
  const levels = fewLevels[type]!;
  if (lost.length === 0) {
    const isExact = relativeError(found) === 0;
    const how = isExact ? 'exactly' : 'but for the rounding of their scales to binary16';
    return `The matrices hold ${levels} a scale (${found.length} of ${tensors.length} were looked at): ${type} stores them ${how}.`;
  }
  return (
    `${type} is for models that were trained with ${levels} a scale. Of ${found.length} matrices looked at, ` +
    `${lost.length} hold others: rounded to nearest, ${(100 * relativeError(lost)).toFixed(0)} % of their size ` +
    `becomes error, which ruins a model. ${exampleOfLoss}`
  );
}

/** Up to so many of them, from the whole list. */
function spread(tensors: readonly PlannedTensor[]): PlannedTensor[] {
  const step = Math.max(1, tensors.length / looks.matrices);
  return Array.from(
    { length: Math.min(tensors.length, looks.matrices) },
    (_, at) => tensors[Math.floor(at * step)]!,
  );
}

async function roundSome(
  model: Model,
  { name }: PlannedTensor,
  type: EncodableType,
): Promise<Look> {
  const tensor = model.tensors.get(name)!;
  const rows = rowsOf(tensor.shape);
  const columns = columnsOf(tensor.shape);
  const values = new Float32Array(columns);
  const out = new Uint8Array((columns / blockTypes[type].weights) * blockTypes[type].bytes);
  const look = { squaredError: 0, squaredNorm: 0 };
  const places = Array.from({ length: looks.rows }, (_, at) =>
    Math.floor((at * rows) / looks.rows),
  );
  for (const row of new Set(places)) {
    scalarDecoders[tensor.type](await tensor.read(row, 1), values);
    if (!values.every((value) => Number.isFinite(value))) continue;
    const sums = scalarKernels.encode(type, values, columns, out);
    look.squaredError += sums.squaredError;
    look.squaredNorm += sums.squaredNorm;
  }
  return look;
}

function isStored(look: Look): boolean {
  return relativeError([look]) <= scaleRounding;
}

function relativeError(found: readonly Look[]): number {
  const sum = (key: keyof Look) => found.reduce((total, look) => total + look[key], 0);
  return sum('squaredNorm') > 0 ? Math.sqrt(sum('squaredError') / sum('squaredNorm')) : 0;
}
