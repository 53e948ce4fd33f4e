import { answerParent } from '../../runtime/ask-child.ts';
import { bench } from './bench.ts';
import type { BenchTask } from './bench-apart.ts';

// Entry of the process that times one file: its peak memory is that of the file alone.

answerParent(({ path, threads, factorsFile, repeats }: BenchTask) =>
  bench(path, { threads, factorsFile, ...(repeats !== undefined && { repeats }) }),
);
