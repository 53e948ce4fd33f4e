import type { Measure } from './measure.ts';
import type { TaskResult } from './run.ts';

/** The part of a result that is about the rows of each data file, in the order of the files. */
export function resultsByFile(result: TaskResult): ReadonlyMap<string, TaskResult> {
  const { definition, samples, measures } = result;
  const files = [...new Set(samples.map(({ row }) => row.file))];
  return new Map(
    files.map((file): [string, TaskResult] => {
      const isPart = (_: unknown, at: number) => samples[at]!.row.file === file;
      const part = {
        samples: samples.filter(isPart),
        measures: measures.map((measure) => partOf(measure, isPart)),
      };
      return [file, { definition, ...part, notes: [] }];
    }),
  );
}

function partOf(measure: Measure, isPart: (value: unknown, row: number) => boolean): Measure {
  if ('classes' in measure) return { ...measure, classes: measure.classes.filter(isPart) };
  const { chances } = measure;
  return {
    ...measure,
    scores: measure.scores.filter(isPart),
    ...(chances && { chances: chances.filter(isPart) }),
  };
}
