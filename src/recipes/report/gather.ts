import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Candidate, Measured, ReportData } from '../../evaluate/report/report-data.ts';
import { locateModel, openModel } from '../../models/open.ts';
import type { Model } from '../../models/model.ts';
import { installedOnnxRuntime } from '../../runtime/onnx/library.ts';
import { describeHardware } from '../../runtime/hardware.ts';
import { startTranscoder } from '../../runtime/kernel-workers.ts';
import { tryContinuation, type Continuation } from '../../runtime/llama-trial.ts';
import type { OnProgress } from '../../util/progress.ts';
import { version } from '../../util/version.ts';
import { benchApart } from '../bench/bench-apart.ts';
import { evaluate, type EvaluateReport } from '../evaluate/evaluate.ts';
import type { EvaluateRequest } from '../evaluate/request.ts';
import { sortData, type SortedData } from '../evaluate/task-files.ts';
import { evaluateTasks } from '../evaluate/tasks.ts';
import { locateText } from '../evaluate/text.ts';
import { losslessGguf } from '../lossless-gguf.ts';
import { fromBench } from './from-bench.ts';
import { likelihoodOf, lossOf, qualityOf, unboundedNotes } from './from-evaluation.ts';
import { fromTasks, type ReportedTasks } from './from-tasks.ts';
import { hashFiles, labelsOf, versionFacts } from './version-facts.ts';
import { measureWeightErrors } from './weight-errors.ts';

/** What a report is about, and on what it is measured. */
export interface ReportRequest {
  /** Versions of a model: folders, GGUF files. */
  readonly models: readonly string[];
  /** What to call them; default the names of their files. */
  readonly labels?: readonly string[];
  /** The model that they were made from. */
  readonly against: string;
  /** Texts and tasks (.yaml) to measure quality on; without any, none is measured. */
  readonly data: readonly string[];
  readonly engine?: EvaluateRequest['engine'];
  readonly maxTokens?: number | undefined;
  /** What every version continues. */
  readonly prompt: string;
  /** Tokens of each continuation. */
  readonly continuationTokens: number;
  /** Runs of each timing; default that of `bench`. */
  readonly repeats?: number | undefined;
  /** The command line, to be repeated. */
  readonly command?: string | undefined;
}

/** What a card shows, and what was noted on the way, cache folders among it, which it does not. */
export interface GatheredReport {
  readonly data: ReportData;
  readonly notes: readonly string[];
}

/** How to measure. */
export interface GatherOptions {
  readonly threads?: number | undefined;
  /** The folder of kept scores, as for `evaluate`. */
  readonly cache?: string | undefined;
  /** The user's energy factors, as for `bench`. */
  readonly factorsFile?: string | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Greedy decoding needs no randomness; the interval's resampling has a seed of its own. */
const seed = 0;

/**
 * Measures everything that a proof card shows: sizes, hashes, weight errors, quality with intervals,
 * continuations of one text, speed and energy.
 *
 * Files go to llama.cpp in processes of their own, evaluation with `engine: 'llama'` excepted.
 *
 * @throws PithError what `evaluate`, `bench` and `measureWeightErrors` throw; `cancelled`.
 */
export async function gatherReport(
  request: ReportRequest,
  options: GatherOptions = {},
): Promise<GatheredReport> {
  const data = await sortData(request.data);
  const scratch = await mkdtemp(join(tmpdir(), 'pith-report-'));
  const base = await openModel(request.against);
  try {
    const gathering = new Gathering({ ...request, sorted: data }, options, scratch);
    const measuredBase = await gathering.version(base, 'original');
    const labels = request.labels ?? labelsOf(request.models, 'original');
    const candidates: Candidate[] = [];
    for (const [at, reference] of request.models.entries()) {
      candidates.push(await gathering.candidate(reference, labels[at]!, base));
    }
    const report = await gathering.report(nameOf(base), measuredBase, candidates);
    return { data: report, notes: [...gathering.remarks] };
  } finally {
    await base.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

function nameOf({ metadata, source }: Model): string {
  const name = metadata.get('general.name');
  return name?.type === 'string' && name.value !== '' ? name.value : source;
}

/** A request whose texts and tasks are told apart. */
type SortedRequest = ReportRequest & { readonly sorted: SortedData };

/** One report in the making: what all of its versions have in common. */
class Gathering {
  readonly #request: SortedRequest;
  readonly #options: GatherOptions;
  readonly #scratch: string;
  /** Of the evaluations. */
  readonly remarks = new Set<string>();
  readonly #notes = new Set<string>();
  #evaluation: EvaluateReport | undefined;
  #baseTasks: ReportedTasks['base'] = {};
  #continuation: Continuation | undefined;

  constructor(request: SortedRequest, options: GatherOptions, scratch: string) {
    this.#request = request;
    this.#options = options;
    this.#scratch = scratch;
  }

  /** What is measured of every version, the original too. */
  async version(model: Model, label: string): Promise<Measured> {
    const { signal, threads, factorsFile } = this.#options;
    const { prompt, continuationTokens: maxTokens, repeats } = this.#request;
    const facts = await versionFacts(model, label, signal);
    const path = await this.#runnable(model.source);
    const bench = await benchApart({ path, threads, factorsFile, repeats }, signal);
    for (const note of bench.notes) this.#notes.add(note);
    this.#continuation = await tryContinuation(path, prompt, { maxTokens, signal });
    return { ...facts, ...fromBench(bench), continuation: [...this.#continuation.tokens] };
  }

  /** The same, and what was lost against `base`. */
  async candidate(reference: string, label: string, base: Model): Promise<Candidate> {
    const model = await openModel(reference);
    try {
      const loss = { ...(await this.#loss(reference)), ...(await this.#tasks(reference)) };
      const weights = await this.#weightErrors(model, base);
      return { ...(await this.version(model, label)), ...loss, weights };
    } finally {
      await model.close();
    }
  }

  async report(model: string, base: Measured, candidates: Candidate[]): Promise<ReportData> {
    const { prompt, command, engine } = this.#request;
    const { os, arch, cpu, cores, memoryBytes } = await describeHardware();
    const evaluation = this.#evaluation;
    return {
      format: 'pith-report/1',
      model,
      made: {
        at: new Date().toISOString(),
        ...(command !== undefined && { command }),
        seed,
        machine: { os, arch, cpu: cpu || 'unknown', cores, memoryBytes },
        versions: {
          pith: version,
          node: process.versions.node,
          ...(evaluation && engine !== 'llama' && { 'onnxruntime-node': installedOnnxRuntime() }),
          ...(this.#continuation && { 'node-llama-cpp': this.#continuation.version }),
        },
      },
      ...(evaluation && { quality: qualityOf(evaluation) }),
      data: await this.#texts(),
      base: { ...base, ...(evaluation?.base && likelihoodOf(evaluation.base)), ...this.#baseTasks },
      candidates,
      continuation: { prompt, temperature: 0, seed },
      notes: [...this.#notes],
    };
  }

  async #loss(model: string) {
    const { sorted, against, engine, maxTokens } = this.#request;
    const { texts } = sorted;
    if (texts.length === 0) return {};
    const request = { model, against, data: texts, engine, maxTokens };
    const report = await evaluate(request, this.#options);
    for (const note of report.notes) this.remarks.add(note);
    for (const note of unboundedNotes(report)) this.#notes.add(note);
    this.#evaluation = report;
    return lossOf(report);
  }

  async #tasks(model: string) {
    const { sorted, against, engine } = this.#request;
    const { tasks } = sorted;
    if (tasks.length === 0) return {};
    const report = await evaluateTasks({ model, against, data: tasks, engine }, this.#options);
    for (const note of report.notes) this.remarks.add(note);
    for (const { notes } of Object.values(report.tasks))
      for (const note of notes) this.#notes.add(note);
    const { candidate, base } = fromTasks(report.tasks);
    this.#baseTasks = base;
    return candidate;
  }

  async #weightErrors(model: Model, base: Model) {
    const { threads = availableParallelism(), onProgress, signal } = this.#options;
    const transcoder = await startTranscoder(threads);
    try {
      return await measureWeightErrors(model, base, transcoder, { onProgress, signal });
    } finally {
      await transcoder.close();
    }
  }

  /** A GGUF file with the weights of a model, for llama.cpp. */
  async #runnable(reference: string): Promise<string> {
    const { kind, path } = await locateModel(reference);
    if (kind === 'gguf') return path;
    const made = await losslessGguf(reference, this.#scratch, this.#options);
    this.#notes.add(
      `llama.cpp reads ${reference} from a temporary GGUF file of type ${made.type}.`,
    );
    return made.path;
  }

  #texts(): Promise<ReportData['data']> {
    const { data } = this.#request;
    return Promise.all(
      data.map(async (reference) => ({
        name: reference,
        sha256: await hashFiles([locateText(reference)], this.#options.signal),
      })),
    );
  }
}
