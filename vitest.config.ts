import { defineConfig } from 'vitest/config';

// In CI each run also leaves a JSON report, so that scripts/count-tests.mjs can add them up.
const report = `.cache/vitest/${process.version}-${process.argv.at(-1)}.json`;

export default defineConfig({
  test: {
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 30_000,
          // Starting a worker a file costs more than most files' tests: they share two instead.
          isolate: false,
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'built',
          include: ['test/*/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          // Commands that only start and refuse run two at a time, as many as the smallest machine has cores.
          maxConcurrency: 2,
        },
      },
    ],
  },
});
