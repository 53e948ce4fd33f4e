import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../models/model.ts';
import { openModel } from '../models/open.ts';
import type { OnProgress } from '../util/progress.ts';
import { prepareQuantization, quantize } from './quantize.ts';

/** How to write it. */
export interface LosslessOptions {
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A GGUF file and the type of its matrices. */
export interface LosslessGguf {
  readonly path: string;
  readonly type: 'F32' | 'F16' | 'BF16';
}

/**
 * Writes a model into `folder` as a GGUF file in the type of its weights, so that nothing is lost, for
 * engines that read nothing else. The caller removes it; of a run that is stopped nothing is left.
 *
 * @throws PithError what `openModel` and `quantize` throw.
 */
export async function losslessGguf(
  reference: string,
  folder: string,
  { threads = availableParallelism(), onProgress, signal }: LosslessOptions,
): Promise<LosslessGguf> {
  const model = await openModel(reference);
  const type = losslessType(model);
  await model.close();
  const path = join(folder, `temporary-${crypto.randomUUID()}.gguf`);
  const prepared = await prepareQuantization({ model: reference, type, pure: true });
  try {
    await quantize(prepared, {
      output: path,
      threads,
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    return { path, type };
  } catch (error) {
    // Nobody knows its name to continue it.
    for (const part of ['.partial', '.journal']) await rm(`${path}${part}`, { force: true });
    throw error;
  } finally {
    await prepared.model.close();
  }
}

/** The one type that all matrices have, else F32, which holds every number of the others. */
function losslessType({ tensors }: Model): LosslessGguf['type'] {
  const matrices = [...tensors.values()].filter(({ shape }) => shape.length > 1);
  const [type, ...others] = new Set(matrices.map((tensor) => tensor.type));
  return others.length === 0 && (type === 'F16' || type === 'BF16') ? type : 'F32';
}
