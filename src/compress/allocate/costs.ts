import type { EncodableType } from '../../kernels/kernels.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';
import type { OnProgress } from '../../util/progress.ts';
import { seededRandom } from '../../util/random.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { candidatesFor, modelAlignment, tensorsToAllocate, type TypeRules } from './candidates.ts';
import type { Choice } from './choice.ts';
import { encodingRounder, type Rounder } from './rounder.ts';
import { sampleRows } from './sample-rows.ts';
import { sampledCost, type SampledTensor } from './sampled-tensor.ts';
import { usesOf, type TensorUse } from './uses.ts';

/** A type of one tensor, its bytes in a file with their padding, and its predicted cost. */
export type TypeCost = Choice;

/** How costs are predicted. */
export interface CostOptions extends TypeRules {
  readonly transcoder: Transcoder;
  /** Rows of each tensor that are tried. Default 128. */
  readonly rows?: number;
  /** Chooses the rows. Default 1. */
  readonly seed?: number;
  /** Default: the encoders that quantizing uses. */
  readonly round?: Rounder;
  /** Costs of a tensor's types that are known better; those types are not tried. */
  readonly known?: (tensor: Tensor, types: readonly EncodableType[]) => Promise<KnownCosts>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Predicted costs by type, nats a token; undefined for none. */
export type KnownCosts = ReadonlyMap<EncodableType, number> | undefined;

const defaultRows = 128;
/** Tensors in work: while one is tried, the next is read. */
const tensorsAtOnce = 2;

/**
 * Predicts what each type would cost each tensor: the KL divergence that rounding adds, ½ Σ g_i v_j (w_ij − ŵ_ij)²
 * nats a token, from a sample of rows that are really encoded.
 *
 * @returns By tensor, those that quantizing keeps left out; each type once, in the order of `types`.
 * @throws PithError `not-found` and `unsupported` for evidence that does not fit, `not-finite` naming a tensor,
 *   `usage` for tensors without a candidate, `cancelled`; whatever reading throws.
 * @see Evidence: g and v are means of squared gradients by a matrix' outputs and of its inputs.
 * @remarks Memory: the sampled rows of two tensors, once a type. Time: `rows` rows of every tensor encoded to every type.
 */
export async function predictCosts(
  model: Model,
  evidence: Evidence,
  options: CostOptions,
): Promise<Map<string, TypeCost[]>> {
  const { signal, onProgress } = options;
  const tensors = tensorsToAllocate(model);
  const work = {
    ...options,
    evidence,
    alignment: modelAlignment(model),
    round: options.round ?? encodingRounder(options.transcoder),
  };
  const costs = new Map<string, TypeCost[]>();
  const predicted = inOrder(tensors.entries(), tensorsAtOnce, ([at, tensor]) =>
    costsOf(tensor, work, at),
  );
  for await (const found of predicted) {
    const { name } = tensors[costs.size]!;
    costs.set(name, found);
    onProgress?.({ label: name, done: costs.size, total: tensors.length, unit: 'steps' });
    if (signal?.aborted) throw new PithError('cancelled', 'Predicting costs was cancelled.');
  }
  return costs;
}

interface Work extends CostOptions {
  readonly evidence: Evidence;
  readonly alignment: number;
  readonly round: Rounder;
}

async function costsOf(tensor: Tensor, work: Work, number: number): Promise<TypeCost[]> {
  const candidates = candidatesFor(tensor, work, work.alignment);
  const uses = requireUses(tensor, work.evidence);
  const own = candidates.map(({ type }) => type);
  const known = await work.known?.(tensor, own);
  let sampled: Promise<SampledTensor> | undefined;
  const tried = async (type: EncodableType) => {
    sampled ??= sampleTensor(tensor, uses, work, number);
    return sampledCost(await sampled, type, work.round);
  };
  const costs = await Promise.all(
    candidates.map(async (candidate) => ({
      ...candidate,
      cost: known?.get(candidate.type) ?? (await tried(candidate.type)),
    })),
  );
  const usable = costs.filter(({ cost }) => Number.isFinite(cost));
  if (usable.length > 0) return usable;
  throw new PithError(
    'not-finite',
    `None of ${work.types.join(', ')} can hold the weights of ${tensor.name}.`,
    'Add BF16 to the candidates.',
  );
}

/** What the evidence says of a tensor of just this shape. */
function requireUses({ name, shape }: Tensor, evidence: Evidence): TensorUse[] {
  const [rows, columns] = [rowsOf(shape), columnsOf(shape)];
  const uses = usesOf(name, evidence);
  for (const use of uses)
    if (use.rows.length !== rows || use.columns.length !== use.experts * columns)
      throw new PithError(
        'shape',
        `${name} is [${shape.join(', ')}], but the evidence of ${evidence.source.model} is of ` +
          `${use.rows.length} rows and ${use.columns.length} columns.`,
        'Measure it on this very model: pith calibrate MODEL -o evidence.gguf',
      );
  return uses;
}

async function sampleTensor(
  tensor: Tensor,
  uses: readonly TensorUse[],
  work: Work,
  number: number,
): Promise<SampledTensor> {
  const { evidence, transcoder, rows: count = defaultRows, seed = 1 } = work;
  const { name, shape } = tensor;
  const [rows, columns] = [rowsOf(shape), columnsOf(shape)];
  const sample = sampleRows(uses, count, seededRandom(seed, number));
  const values = await readRowsAt(tensor, sample.rows, transcoder);
  return { name, rows, columns, sample, values, uses, evidence: evidence.tensors.get(name) };
}
