import type { OnProgress } from '../../util/progress.ts';
import type { EvaluateReport } from '../evaluate/evaluate.ts';
import type { EvaluateRequest } from '../evaluate/request.ts';
import type { TasksReport } from '../evaluate/tasks.ts';

/** What a report is about, and on what it is measured. */
export interface ReportRequest extends Pick<
  EvaluateRequest,
  'engine' | 'maxTokens' | 'taskData' | 'limit'
> {
  /** Versions of a model: folders, GGUF files. */
  readonly models: readonly string[];
  /** What to call them; default the names of their files. */
  readonly labels?: readonly string[];
  /** The model that they were made from. */
  readonly against: string;
  /** Texts and tasks, as `evaluateData` takes them; without any, no quality is measured. */
  readonly data: readonly string[];
  /** What every version continues. */
  readonly prompt: string;
  /** Tokens of each continuation. */
  readonly continuationTokens: number;
  /** Runs of each timing; default that of `bench`. */
  readonly repeats?: number | undefined;
  /** Also speed and energy. Default true. */
  readonly speed?: boolean | undefined;
  /** The command line, to be repeated. */
  readonly command?: string | undefined;
  /** What was measured already, by the version as `models` has it, on the same data with the same engine. */
  readonly evaluations?: ReadonlyMap<string, Evaluations>;
}

/** Evaluations of one version: of the texts, of the tasks, or both. */
export interface Evaluations {
  readonly text?: EvaluateReport;
  readonly tasks?: TasksReport;
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
