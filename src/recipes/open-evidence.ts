import type { Evidence } from '../compress/evidence/evidence.ts';
import { hessianUnit } from '../compress/evidence/hessian.ts';
import { readEvidence } from '../compress/evidence/read-evidence.ts';
import type { Model } from '../models/model.ts';
import { openFile } from '../storage/file-source.ts';
import { closeOnFailure } from '../util/closing.ts';
import { PithError } from '../util/errors.ts';
import { modelHash, type HashOptions } from './evaluate/model-hash.ts';

/** Evidence whose Hessians are read from a file; close it. */
export interface OpenEvidence extends Evidence {
  close(): Promise<void>;
}

/**
 * Opens an evidence file.
 *
 * @throws PithError as `openFile` and `readEvidence`.
 */
export async function openEvidence(path: string): Promise<OpenEvidence> {
  const source = await openFile(path);
  return closeOnFailure(source, async () => ({
    ...(await readEvidence(source)),
    close: () => source.close(),
  }));
}

/**
 * Opens evidence to feed errors back with.
 *
 * @throws PithError as `openEvidence`; `conflict` for evidence of other weights; `unsupported` without Hessians, and for
 *   Hessians whose blocks cut through those of types.
 * @remarks Reads all weights once, to compare them with what was measured.
 */
export async function openFeedback(
  path: string,
  model: Model,
  options: HashOptions,
): Promise<OpenEvidence> {
  const evidence = await openEvidence(path);
  return closeOnFailure(evidence, async () => {
    const { hessians, source } = evidence;
    const again = `Measure it again: pith calibrate ${model.source} --hessians -o ${path}`;
    if (!hessians)
      throw new PithError(
        'unsupported',
        `${path} has no Hessians to feed errors back with.`,
        again,
      );
    for (const [name, { columns, blockSize }] of hessians.shapes)
      if (blockSize < columns && blockSize % hessianUnit !== 0)
        throw new PithError(
          'unsupported',
          `${path} has Hessians of ${blockSize} columns (${name}), which cut through blocks of ${hessianUnit}.`,
          again,
        );
    if (source.modelHash !== (await modelHash(model, options)))
      throw new PithError('conflict', `${path} is of other weights (${source.model}).`, again);
    return evidence;
  });
}
