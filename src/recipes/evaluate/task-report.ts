import type { Figure } from '../../evaluate/figure.ts';
import type { PairedDifference } from '../../evaluate/paired.ts';
import {
  chanceLevel,
  compareTasks,
  measureFigure,
  resultsByFile,
  type TaskResult,
} from '../../evaluate/tasks/index.ts';
import type { EngineName } from './engines.ts';

/** One metric of a task. */
export interface MetricReport {
  readonly score: Figure;
  /** The score by guessing, where there is one. */
  readonly chance?: number;
  readonly base?: Figure;
  /** Candidate − base on the same rows. */
  readonly difference?: PairedDifference;
  /** (score − chance) / (base − chance). */
  readonly retention?: Figure;
}

/** The first metric, and all of them by lm-evaluation-harness's names. */
export interface MetricsReport extends MetricReport {
  readonly rows: number;
  readonly metrics: Readonly<Record<string, MetricReport>>;
}

/** What one engine found. */
export interface EngineMetrics extends MetricsReport {
  readonly engine: EngineName;
}

/** A task's figures. With both engines, llama.cpp's stand at the top: it runs the file itself. */
export interface TaskReport extends MetricsReport {
  /** By data file, where there are several; the figures above are of all rows. */
  readonly files?: Readonly<Record<string, MetricsReport>>;
  readonly engines?: readonly EngineMetrics[];
  /** By metric: llama.cpp − ONNX Runtime, the same model on the same rows. */
  readonly disagreement?: Readonly<Record<string, PairedDifference>>;
  readonly notes: readonly string[];
}

/** One task answered in one engine. */
export interface AnsweredTask {
  readonly engine: EngineName;
  readonly result: TaskResult;
  /** The base's. */
  readonly other: TaskResult | undefined;
}

/** @param answered - The same task in one engine or several; the last is the final word. */
export function reportTask(answered: readonly AnsweredTask[]): TaskReport {
  const { result, other } = answered.at(-1)!;
  const parts = resultsByFile(result);
  const others = other && resultsByFile(other);
  const ofParts = [...parts].map(([file, part]): [string, MetricsReport] => {
    return [file, reportMetrics(part, others?.get(file))];
  });
  const notes = answered.flatMap((one) => [...one.result.notes, ...(one.other?.notes ?? [])]);
  return {
    ...reportMetrics(result, other),
    ...(parts.size > 1 && { files: Object.fromEntries(ofParts) }),
    ...(answered.length > 1 && {
      engines: answered.map((one) => ({
        engine: one.engine,
        ...reportMetrics(one.result, one.other),
      })),
      disagreement: disagreement(result, answered[0]!.result),
    }),
    notes: [...new Set(notes)],
  };
}

function reportMetrics(result: TaskResult, base: TaskResult | undefined): MetricsReport {
  const compared = base ? compareTasks(result, base) : [];
  const metrics = result.measures.map((measure, at): [string, MetricReport] => {
    const chance = chanceLevel(measure);
    const other = base?.measures[at];
    const { key: _, ...comparison } = compared[at] ?? { key: '' };
    const report = {
      score: measureFigure(measure),
      ...(chance !== undefined && { chance }),
      ...(other && { base: measureFigure(other) }),
      ...comparison,
    };
    return [measure.key, report];
  });
  const [[, first]] = metrics as [[string, MetricReport]];
  return { ...first, rows: result.samples.length, metrics: Object.fromEntries(metrics) };
}

function disagreement(llama: TaskResult, onnx: TaskResult): Record<string, PairedDifference> {
  const compared = compareTasks(llama, onnx);
  return Object.fromEntries(compared.map(({ key, difference }) => [key, difference]));
}
