import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { availableMemory } from 'node:process';
import { collectEvidence } from '../../compress/evidence/collect.ts';
import { coverageWarnings } from '../../compress/evidence/coverage.ts';
import type { Evidence } from '../../compress/evidence/evidence.ts';
import {
  planEvidenceFile,
  planImatrixFile,
  type PlannedFile,
} from '../../compress/evidence/evidence-file.ts';
import { modeOf } from '../../evaluate/onnx/open.ts';
import { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import { writeGguf } from '../../formats/gguf/write.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { openOnnxEngine } from '../../runtime/onnx/index.ts';
import { checkFolder } from '../../storage/folder.ts';
import { openOutput, refuseExisting } from '../../storage/output-file.ts';
import { OpenThings } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import { contextOf } from '../evaluate/defaults.ts';
import { modelHash } from '../evaluate/model-hash.ts';
import { checkOutputPath } from '../output-path.ts';
import type { CalibrateRequest, CalibrateTarget } from './request.ts';
import { calibrationWindows, type CalibrationWindows } from './windows.ts';

/** What was measured and written. */
export interface CalibrateReport {
  readonly model: string;
  readonly output: string;
  readonly bytes: number;
  readonly imatrix?: string;
  readonly data: readonly string[];
  readonly documents: number;
  readonly tokens: number;
  readonly windowTokens: number;
  /** Matrices with evidence. */
  readonly tensors: number;
  readonly gradients: boolean;
  readonly device: string;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

const seed = 1;
/** Activations between blocks may take a quarter of the memory there is, within these. */
const leastActivations = 2 ** 28;
const mostActivations = 2 ** 31;

/**
 * Runs a model over text and writes what its activations and gradients were.
 *
 * Models whose weights as f32 do not fit the memory there is are run block by block from the disk. A run that is
 * stopped leaves nothing and begins again.
 *
 * @throws PithError `unsupported` for too little text and for models without a graph, `not-finite` naming a
 *   matrix, `conflict` for outputs that exist; `cancelled`; what opening models, texts and engines throws.
 */
export async function calibrate(
  request: CalibrateRequest,
  target: CalibrateTarget,
): Promise<CalibrateReport> {
  const started = performance.now();
  const opened = new OpenThings();
  try {
    const model = opened.add(await openModel(request.model));
    await checkOutputs(target, model);
    const context = contextOf({ model: request.model, data: [], context: request.context }, [
      model,
    ]);
    const text = await calibrationWindows(request, model, context);
    const measured = await measure(model, text, { request, target, opened });
    const bytes = await write(target.output, planEvidenceFile(measured.evidence), target);
    const { imatrix } = target;
    if (imatrix !== undefined) await write(imatrix, planImatrixFile(measured.evidence), target);
    const { evidence, device, note } = measured;
    return {
      model: request.model,
      output: target.output,
      bytes,
      ...(imatrix !== undefined && { imatrix }),
      data: text.datasets,
      documents: text.documents,
      tokens: evidence.tokens,
      windowTokens: evidence.windowTokens,
      tensors: evidence.tensors.size,
      gradients: evidence.embedding !== undefined,
      device,
      seconds: (performance.now() - started) / 1000,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      warnings: evidence.warnings,
      notes: [...text.notes, note],
    };
  } finally {
    await opened.close();
  }
}

interface Measured {
  readonly evidence: Evidence;
  readonly device: string;
  readonly note: string;
}

async function measure(
  model: Model,
  text: CalibrationWindows,
  {
    request,
    target,
    opened,
  }: { request: CalibrateRequest; target: CalibrateTarget; opened: OpenThings },
): Promise<Measured> {
  const { threads = availableParallelism(), onProgress, signal } = target;
  const { mode, reason } = modeOf(model, { availableBytes: availableMemory() });
  const source = {
    model: request.model,
    modelHash: await modelHash(model, { onProgress, signal }),
    tokenizerHash: tokenizerHash(model),
    datasets: text.datasets,
    dataHash: hashOf(text.windows.map(({ buffer }) => new Uint8Array(buffer))),
    seed,
  };
  const engine = opened.add(await openOnnxEngine({ threads, ...(signal && { signal }) }));
  const transcoder = opened.add(await startTranscoder(threads));
  const weights = opened.add(new WeightStore(model, engine, transcoder, mode === 'whole'));
  const activationBytes = Math.max(
    leastActivations,
    Math.min(mostActivations, availableMemory() / 4),
  );
  const { gradients = true } = request;
  const collected = await collectEvidence({ model, engine, weights }, text.windows, {
    gradients,
    seed,
    activationBytes,
    onProgress,
    signal,
  });
  const where = mode === 'whole' ? 'kept in memory' : 'read block by block';
  return {
    evidence: { source, ...collected, warnings: coverageWarnings(collected) },
    device: engine.provider,
    note: `Weights are ${where} by ${engine.name}, ${engine.provider}: ${reason}.`,
  };
}

async function checkOutputs(
  { output, imatrix, force = false }: CalibrateTarget,
  model: Model,
): Promise<void> {
  for (const path of imatrix === undefined ? [output] : [output, imatrix]) {
    await checkOutputPath(path, model.files);
    await checkFolder(path);
    await refuseExisting(path, force);
  }
  if (imatrix === output)
    throw new PithError(
      'usage',
      `Evidence and importance matrix are both to be ${output}.`,
      'An evidence file is an importance matrix already: leave --imatrix out.',
    );
}

async function write(
  path: string,
  { plan, values }: PlannedFile,
  { force = false }: CalibrateTarget,
): Promise<number> {
  const planHash = hashOf([plan.header, ...[...values.values()].map(bytesOf)]);
  const output = await openOutput(path, { planHash, totalBytes: plan.totalBytes, force });
  try {
    await writeGguf(
      plan,
      output,
      async function* ({ name }) {
        yield bytesOf(values.get(name)!);
      },
      output.resumeOffset,
    );
    await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return plan.totalBytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function tokenizerHash({ metadata }: Model): string {
  const own = [...metadata].filter(([key]) => key.startsWith('tokenizer.'));
  const text = JSON.stringify(own, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return hashOf([new TextEncoder().encode(text)]);
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
