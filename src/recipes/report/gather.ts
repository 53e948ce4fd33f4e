import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Candidate, Measured, ReportData } from '../../evaluate/report/report-data.ts';
import type { Model } from '../../models/model.ts';
import { installedOnnxRuntime } from '../../runtime/onnx/library.ts';
import { describeHardware } from '../../runtime/hardware.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { tryContinuation, type Continuation } from '../../runtime/llama-trial.ts';
import { version } from '../../util/version.ts';
import { benchApart } from '../bench/bench-apart.ts';
import { evaluate, type EvaluateReport } from '../evaluate/evaluate.ts';
import { openGgufFile } from '../evaluate/gguf-file.ts';
import { EvaluationSession } from '../evaluate/session.ts';
import { evaluateTasks } from '../evaluate/tasks.ts';
import { orStopped, type Left } from '../interrupted.ts';
import { fromBench } from './from-bench.ts';
import { likelihoodOf, lossOf, qualityOf, unboundedNotes } from './from-evaluation.ts';
import { fromTasks, type ReportedTasks } from './from-tasks.ts';
import { prepareReport, type PreparedReport } from './prepare.ts';
import type { Evaluations, GatherOptions, ReportRequest } from './request.ts';
import { labelsOf, nameOf, versionFacts } from './version-facts.ts';
import { measureWeightErrors } from './weight-errors.ts';

/** What a card shows, and what was noted on the way, cache folders among it, which it does not. */
export interface GatheredReport {
  readonly data: ReportData;
  readonly notes: readonly string[];
}

/** Greedy decoding needs no randomness; the interval's resampling has a seed of its own. */
const seed = 0;

/**
 * Measures everything that a proof card shows: sizes, hashes, weight errors, quality with intervals,
 * continuations of one text, speed and energy.
 *
 * Files go to llama.cpp in processes of their own, evaluation with `engine: 'llama'` excepted. Interrupted,
 * the same request does not compute again what quality was measured.
 *
 * @throws PithError what `prepareReport`, `evaluate`, `bench` and `measureWeightErrors` throw; `cancelled`.
 */
export async function gatherReport(
  request: ReportRequest,
  options: GatherOptions = {},
): Promise<GatheredReport> {
  const prepared = await prepareReport(request, options.signal);
  const scratch = await mkdtemp(join(tmpdir(), 'pith-report-'));
  try {
    const gathering = new Gathering(request, options, { ...prepared, scratch });
    const left = () => leftOf(request);
    return await orStopped(options.signal, left, () => gathering.report());
  } finally {
    await prepared.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

function leftOf({ data }: ReportRequest): Left {
  return data.length > 0
    ? { what: 'scores and answers so far are kept', continues: true }
    : { what: 'no card was written', continues: false };
}

/** Everything opened, and a folder for temporary files. */
type Opened = PreparedReport & { readonly scratch: string };

/** One report in the making: what all of its versions have in common. */
class Gathering {
  readonly #request: ReportRequest;
  readonly #options: GatherOptions & { readonly session: EvaluationSession };
  readonly #opened: Opened;
  /** Of the evaluations. */
  readonly #remarks = new Set<string>();
  readonly #notes = new Set<string>();
  #evaluation: EvaluateReport | undefined;
  #baseTasks: ReportedTasks['base'] = {};
  #continuation: Continuation | undefined;

  constructor(request: ReportRequest, options: GatherOptions, opened: Opened) {
    this.#request = request;
    this.#options = { ...options, session: new EvaluationSession() };
    this.#opened = opened;
  }

  async report(): Promise<GatheredReport> {
    const { base, candidates: models } = this.#opened;
    const measuredBase = await this.#version(base, 'original');
    const labels = this.#request.labels ?? labelsOf(this.#request.models, 'original');
    const candidates: Candidate[] = [];
    for (const [at, model] of models.entries())
      candidates.push(await this.#candidate(model, labels[at]!));
    const data = await this.#assemble(measuredBase, candidates);
    await this.#options.session.end();
    return { data, notes: [...this.#remarks] };
  }

  /** What is measured of every version, the original too. */
  async #version(model: Model, label: string): Promise<Measured> {
    const { signal } = this.#options;
    const { prompt, continuationTokens: maxTokens, speed = true } = this.#request;
    const facts = await versionFacts(model, label, signal);
    const path = await this.#runnable(model.source);
    this.#continuation = await tryContinuation(path, prompt, { maxTokens, signal });
    const timed = speed ? await this.#bench(path, label) : {};
    return { ...facts, ...timed, continuation: [...this.#continuation.tokens] };
  }

  /** The same, and what was lost against the base. */
  async #candidate(model: Model, label: string): Promise<Candidate> {
    const { source } = model;
    const loss = { ...(await this.#loss(source)), ...(await this.#tasks(source)) };
    const weights = await this.#weightErrors(model);
    return { ...(await this.#version(model, label)), ...loss, weights };
  }

  async #assemble(base: Measured, candidates: Candidate[]): Promise<ReportData> {
    const { prompt, command } = this.#request;
    const { os, arch, cpu, cores, memoryBytes } = await describeHardware();
    const evaluation = this.#evaluation;
    return {
      format: 'pith-report/1',
      model: nameOf(this.#opened.base),
      made: {
        at: new Date().toISOString(),
        ...(command !== undefined && { command }),
        seed,
        machine: { os, arch, cpu: cpu || 'unknown', cores, memoryBytes },
        versions: { pith: version, node: process.versions.node, ...this.#engineVersions() },
      },
      ...(evaluation && { quality: qualityOf(evaluation) }),
      data: this.#opened.data,
      base: { ...base, ...(evaluation?.base && likelihoodOf(evaluation.base)), ...this.#baseTasks },
      candidates,
      continuation: { prompt, temperature: 0, seed },
      notes: [...this.#notes],
    };
  }

  #engineVersions(): Record<string, string> {
    const { data, engine } = this.#request;
    return {
      ...(data.length > 0 && engine !== 'llama' && { 'onnxruntime-node': installedOnnxRuntime() }),
      ...(this.#continuation && { 'node-llama-cpp': this.#continuation.version }),
    };
  }

  async #bench(path: string, label: string) {
    const { signal, threads, factorsFile, onProgress } = this.#options;
    const { repeats } = this.#request;
    onProgress?.({ label: `speed of ${label}`, done: 0, total: 1, unit: 'steps' });
    const bench = await benchApart({ path, threads, factorsFile, repeats }, signal);
    for (const note of bench.notes) this.#notes.add(note);
    return fromBench(bench);
  }

  async #loss(model: string) {
    const { against, engine, maxTokens } = this.#request;
    const { texts } = this.#opened.sorted;
    if (texts.length === 0) return {};
    const request = { model, against, data: texts, engine, maxTokens };
    const report = this.#known(model)?.text ?? (await evaluate(request, this.#options));
    for (const note of report.notes) this.#remarks.add(note);
    for (const note of unboundedNotes(report)) this.#notes.add(note);
    this.#evaluation = report;
    return lossOf(report);
  }

  async #tasks(model: string) {
    const { against, engine, taskData, limit } = this.#request;
    const { tasks } = this.#opened.sorted;
    if (tasks.length === 0) return {};
    const request = { model, against, data: tasks, engine, taskData, limit };
    const report = this.#known(model)?.tasks ?? (await evaluateTasks(request, this.#options));
    for (const note of report.notes) this.#remarks.add(note);
    for (const { notes } of Object.values(report.tasks))
      for (const note of notes) this.#notes.add(note);
    const { candidate, base } = fromTasks(report.tasks);
    this.#baseTasks = base;
    return candidate;
  }

  #known(model: string): Evaluations | undefined {
    return this.#request.evaluations?.get(model);
  }

  async #weightErrors(model: Model) {
    const { threads = availableParallelism(), onProgress, signal } = this.#options;
    const transcoder = await startTranscoder(threads);
    try {
      const { base } = this.#opened;
      return await measureWeightErrors(model, base, transcoder, { onProgress, signal });
    } finally {
      await transcoder.close();
    }
  }

  /** A GGUF file with the weights of a model, for llama.cpp. */
  async #runnable(reference: string): Promise<string> {
    const options = { ...this.#options, temporary: this.#opened.scratch };
    const { path, notes } = await openGgufFile(reference, options);
    for (const note of notes) this.#notes.add(note);
    return path;
  }
}
