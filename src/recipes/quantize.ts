import { availableParallelism } from 'node:os';
import type { Evidence } from '../compress/evidence/evidence.ts';
import { Couplings } from '../compress/feedback/couplings.ts';
import { parseFileType } from '../compress/quantize/file-types.ts';
import { readImatrix } from '../compress/quantize/imatrix.ts';
import type { Imatrix } from '../compress/quantize/importance.ts';
import { parseOverride } from '../compress/quantize/overrides.ts';
import { planQuantization } from '../compress/quantize/plan.ts';
import type { QuantizationPlan } from '../compress/quantize/quantization-plan.ts';
import { ternaryNotes } from '../compress/quantize/ternary-notes.ts';
import {
  totalRelativeError,
  writeQuantized,
  type TensorReport,
  type WriteOptions,
} from '../compress/quantize/write.ts';
import { openModel } from '../models/open.ts';
import type { Model } from '../models/model.ts';
import { startTranscoder } from '../runtime/kernel-workers.ts';
import { openFile } from '../storage/file-source.ts';
import { openOutput } from '../storage/output-file.ts';
import type { Output } from '../storage/output-writer.ts';
import { closeOnFailure } from '../util/closing.ts';
import { averageBits } from '../tensor/tensor.ts';
import { PithError } from '../util/errors.ts';
import type { OnProgress } from '../util/progress.ts';
import { version } from '../util/version.ts';
import { fingerprint } from './fingerprint.ts';
import { fileStates, requireUnchanged } from './input-files.ts';
import { checkOutputPath } from './output-path.ts';

/** What to quantize, and to what. */
export interface QuantizeRequest {
  /** A Hugging Face folder, a GGUF file or `sample`. */
  readonly model: string;
  /** A block type or a llama.cpp mix name. */
  readonly type: string;
  /** One block type for every matrix, instead of the mix of that name. */
  readonly pure?: boolean;
  /** `regex=TYPE`, the first match wins. */
  readonly overrides?: readonly string[];
  /** Path of an importance matrix. */
  readonly imatrix?: string;
}

/** Where and how to write. */
export interface QuantizeTarget {
  readonly output: string;
  readonly threads?: number;
  /** Replace a finished file of that name. */
  readonly force?: boolean;
  /** Of this very model: with its Hessians, rounding errors are fed back. */
  readonly evidence?: Evidence;
  /** Tensors that are encoded without feedback all the same. */
  readonly withoutFeedback?: ReadonlySet<string>;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface QuantizeReport {
  readonly output: string;
  readonly bytes: number;
  /** Of the tensors, without header and vocabulary. */
  readonly bitsPerWeight: number;
  /** sqrt(Σ (x − x̂)² / Σ x²) over the tensors that lost precision. */
  readonly relativeError: number;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  readonly tensors: readonly TensorReport[];
  readonly notes: readonly string[];
}

/** A request read and planned: everything known before the weights are converted. Close the model. */
export interface PreparedQuantization {
  readonly model: Model;
  readonly plan: QuantizationPlan;
  /** Paths of the files that are read; the output can be none of them. */
  readonly inputs: readonly string[];
}

/**
 * Opens the model and decides every tensor's type; the exact size is `plan.layout.totalBytes`. Some rows are read, to
 * say what types of few levels would do to them.
 */
export async function prepareQuantization(request: QuantizeRequest): Promise<PreparedQuantization> {
  const type = parseFileType(request.type, request.pure ?? false);
  const overrides = (request.overrides ?? []).map(parseOverride);
  const imatrix = request.imatrix === undefined ? undefined : await loadImatrix(request.imatrix);
  const model = await openModel(request.model);
  return closeOnFailure(model, async () => {
    const planned = planQuantization(model, { type, overrides, ...(imatrix && { imatrix }) });
    const notes = [...planned.notes, ...(await ternaryNotes(model, planned.tensors))];
    const plan = { ...planned, notes };
    return { model, plan, inputs: [...model.files, ...(imatrix ? [imatrix.source] : [])] };
  });
}

/**
 * Writes a prepared quantization: streaming, crash-safe, resumable.
 *
 * The output appears under its name only when it is complete. An interrupted run leaves
 * `OUT.partial` and `OUT.journal`; the same request continues there and ends with the same bytes.
 *
 * @throws {@link PithError} `conflict` when the output exists and `force` is not set, when it is one of
 *   the inputs, or when these change meanwhile; `usage` when it is not named `.gguf`; `not-finite`,
 *   `unsupported`, `no-space`, `no-permission`, `cancelled`.
 */
export async function quantize(
  { model, plan, inputs }: PreparedQuantization,
  target: QuantizeTarget,
): Promise<QuantizeReport> {
  const started = performance.now();
  await checkOutputPath(target.output, inputs);
  const { threads = availableParallelism(), force = false } = target;
  // Its threads start up while the model is fingerprinted.
  const transcoder = await startTranscoder(threads);
  try {
    const states = await fileStates(model.files);
    const { evidence, withoutFeedback: except = new Set() } = target;
    const feedback = evidence ? [evidenceKey(evidence), ...except] : [];
    const salts = [version, ...states.values(), ...feedback];
    const planHash = await fingerprint(model, plan, salts);
    const { totalBytes } = plan.layout;
    const output = await openOutput(target.output, { planHash, totalBytes, force });
    const couplings = evidence?.hessians && new Couplings(evidence, transcoder, { except });
    const options = { ...target, transcoder, output, ...(couplings && { couplings }) };
    const tensors = await writeTensors(model, plan, options, () => requireUnchanged(states));
    return {
      output: target.output,
      bytes: totalBytes,
      bitsPerWeight: averageBits(plan.tensors),
      relativeError: totalRelativeError(tensors),
      seconds: (performance.now() - started) / 1000,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      tensors,
      notes: [...plan.notes, ...(couplings?.notes ?? []), ...resumeNotes(output)],
    };
  } finally {
    await transcoder.close();
  }
}

/** Stands for evidence among what decides a file's bytes. */
function evidenceKey({ source, tokens, hessians }: Evidence): string {
  return JSON.stringify([source, tokens, [...(hessians?.shapes ?? [])]]);
}

async function loadImatrix(path: string): Promise<Imatrix> {
  const source = await openFile(path);
  try {
    return await readImatrix(source);
  } finally {
    await source.close();
  }
}

async function writeTensors(
  model: Model,
  plan: QuantizationPlan,
  options: Omit<WriteOptions, 'onTensor'>,
  beforeFinish: () => Promise<void>,
): Promise<TensorReport[]> {
  const { output } = options;
  const reports = output.completed.flatMap(({ detail }) =>
    detail ? [detail as TensorReport] : [],
  );
  try {
    const onTensor = (report: TensorReport) => reports.push(report);
    await writeQuantized(model, plan, { ...options, onTensor });
    await beforeFinish();
    await output.finish();
    return reports;
  } catch (error) {
    await (isWorthResuming(error) ? output.abandon() : output.discard());
    throw error;
  }
}

/** Broken weights stay broken: what is written is only kept where the same request may succeed. */
function isWorthResuming(error: unknown): boolean {
  const passing = ['cancelled', 'no-space', 'no-permission', 'io', 'engine'];
  return !(error instanceof PithError) || passing.includes(error.code);
}

function resumeNotes({ resumeOffset, totalBytes, restarted }: Output): string[] {
  if (restarted) return ['An unfinished output of another request was thrown away.'];
  if (resumeOffset === 0) return [];
  return [`Resumed an interrupted run at ${resumeOffset} of ${totalBytes} bytes.`];
}
