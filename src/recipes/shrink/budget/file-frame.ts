import type { Candidate } from '../../../compress/allocate/candidates.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import { planAllocation, quantizableTensors } from '../../../compress/quantize/plan-allocation.ts';
import type { Model } from '../../../models/model.ts';
import { blockTypes } from '../../../tensor/block-types.ts';
import { columnsOf, weightsOf } from '../../../tensor/tensor.ts';
import { PithError } from '../../../util/errors.ts';
import { formatBytes, formatInteger } from '../../../util/format-units.ts';
import type { Budget, SizedBudget } from './budget.ts';
import { resultNames } from '../folder.ts';

/** What every file of a model has in common, whatever the types of its matrices; bytes with their padding. */
export interface FileFrame {
  readonly headerBytes: number;
  /** Tensors that stay as they are stored: norms, routers. */
  readonly keptBytes: number;
  /** Weights of all tensors. */
  readonly weights: number;
  /** The file without a change. */
  readonly originalBytes: number;
}

/** @param imatrix - The one that the files will name in their header. */
export function frameOf(model: Model, candidates: Candidates, imatrix: Imatrix): FileFrame {
  const types = new Map([...candidates].map(([name, [candidate]]) => [name, candidate!.type]));
  const { layout } = planAllocation(model, types, imatrix);
  const kept = layout.tensors.filter(({ name }) => !candidates.has(name));
  return {
    headerBytes: layout.header.length,
    keptBytes: kept.reduce((sum, { paddedLength }) => sum + paddedLength, 0),
    weights: layout.tensors.reduce((sum, { shape }) => sum + weightsOf(shape), 0),
    originalBytes: originalBytes(model),
  };
}

/** Types that GGUF has not become the one of the same size, BF16. */
function originalBytes(model: Model): number {
  const foreign = quantizableTensors(model).filter(
    (name) => !(model.tensors.get(name)!.type in blockTypes),
  );
  return planAllocation(model, new Map(foreign.map((name) => [name, 'BF16']))).layout.totalBytes;
}

/**
 * An importance matrix of the right sizes that says nothing, to know the header's length before there is
 * evidence.
 */
export function blankImatrix(model: Model, datasets: readonly string[]): Imatrix {
  const entries = quantizableTensors(model).map((name) => {
    const { shape } = model.tensors.get(name)!;
    const experts = shape.length > 2 ? shape.at(-3)! : 1;
    const values = new Float32Array(experts * columnsOf(shape));
    return [name, { experts, values }] as const;
  });
  return {
    source: resultNames.evidence,
    datasets,
    chunks: 1,
    entries: new Map(entries),
    notes: [],
  };
}

/** The whole file of a budget; a keep budget has none. */
export function fileBudget(budget: SizedBudget, frame: FileFrame): number {
  return budget.kind === 'size'
    ? budget.bytes
    : frame.headerBytes + Math.floor((budget.bitsPerWeight * frame.weights) / 8);
}

/** The matrices whose types are chosen, and the types that each may take. */
export type Candidates = ReadonlyMap<string, readonly Candidate[]>;

/**
 * Refuses budgets that no file can have.
 *
 * @throws PithError `unsupported` below the smallest file, with what that is made of, and above the original.
 */
export function checkBudget(budget: Budget, frame: FileFrame, candidates: Candidates): void {
  if (budget.kind === 'keep') return;
  const bytes = fileBudget(budget, frame);
  const { headerBytes, keptBytes, originalBytes } = frame;
  const matrices = smallestMatrices(candidates);
  const least = headerBytes + keptBytes + matrices;
  if (bytes < least)
    throw new PithError(
      'unsupported',
      `A file of ${bytesText(bytes)} is below the smallest possible, ${bytesText(least)}: header ` +
        `and vocabulary ${formatInteger(headerBytes)}, norms and other kept tensors ` +
        `${formatInteger(keptBytes)}, matrices in their smallest types ${formatInteger(matrices)}.`,
      `Use --size ${least} or more${budget.kind === 'bits' ? `, or --bits ${leastBits(least, frame)}` : ''}.`,
    );
  if (bytes >= originalBytes)
    throw new PithError(
      'usage',
      `The original takes ${bytesText(originalBytes)} as a GGUF file, which fits ${bytesText(bytes)} as it is.`,
      'There is nothing to shrink: give a smaller budget.',
    );
}

function smallestMatrices(candidates: Candidates): number {
  const least = [...candidates.values()].map((own) => Math.min(...own.map(({ bytes }) => bytes)));
  return least.reduce((sum, bytes) => sum + bytes, 0);
}

/** Rounded up to two places. */
function leastBits(bytes: number, { headerBytes, weights }: FileFrame): number {
  return Math.ceil((800 * (bytes - headerBytes)) / weights) / 100;
}

function bytesText(bytes: number): string {
  return `${formatInteger(bytes)} bytes (${formatBytes(bytes)})`;
}
