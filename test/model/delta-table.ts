import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'vitest';

/** Largest distances of a model's logits, or hidden states, to two other programs. */
export interface DeltaRow {
  readonly label: string;
  readonly architecture: string;
  readonly transformers: number;
  readonly llamaCpp: number | undefined;
  readonly note: string;
}

const path = resolve(import.meta.dirname, '../../FEATURES.md');
const heading = '## Families, and how far their forward pass is from two others';

/** Sums of another order differ otherwise on another machine, by less than this factor. */
const machines = 10;

/**
 * Checks that the last section of FEATURES.md has these rows, and that no distance to transformers is
 * larger than it says, up to what machines differ. With PITH_WRITE_TABLES=1 it writes the section instead.
 */
export function expectTable(rows: readonly DeltaRow[], source: string): void {
  const text = render(rows, source);
  const features = readFileSync(path, 'utf8');
  const start = features.indexOf(heading);
  if (process.env['PITH_WRITE_TABLES']) writeFileSync(path, features.slice(0, start) + text);
  const written = readFileSync(path, 'utf8').slice(start);
  expect(withoutNumbers(written)).toBe(withoutNumbers(text));
  const stated = firstNumbers(written);
  for (const [at, number] of firstNumbers(text).entries()) {
    expect(number).toBeLessThan(stated[at]! * machines);
  }
}

const numbers = /\d\.\de-\d+/g;
const withoutNumbers = (text: string) => text.replaceAll(numbers, '').replaceAll(/ +|-{3,}/g, ' ');
const firstNumbers = (text: string) =>
  text.split('\n').flatMap((line) => (line.match(numbers) ?? []).slice(0, 1).map(Number));

function render(rows: readonly DeltaRow[], source: string): string {
  const cells = [
    ['Model', 'GGUF architecture', 'to transformers', 'to llama.cpp', ''],
    ...rows.map((row) => [
      row.label,
      row.architecture,
      row.transformers.toExponential(1),
      row.llamaCpp?.toExponential(1) ?? '',
      row.note,
    ]),
  ];
  const widths = cells[0]!.map((_, column) =>
    Math.max(3, ...cells.map((line) => line[column]!.length)),
  );
  const lines = cells.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | '),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join(' | ');
  const [head, ...body] = lines.map((line) => `| ${line} |`);
  return [
    heading,
    '',
    'Largest absolute difference of logits (encoders: hidden states and embeddings) of small random',
    'models of the true structure, 13 tokens, weights in F32: the graph of `src/models/graph` on ONNX',
    'Runtime against the original code, and against llama.cpp on the GGUF file that Pith writes.',
    '',
    head,
    `| ${rule} |`,
    ...body,
    '',
    'llama.cpp on the CPU looks GELU up in a table from 16-bit floats to 16-bit floats; where a model has',
    'it, it is compared with a graph that rounds the same numbers to 11 bits.',
    '',
    `Originals: ${source}; llama.cpp v0.5.0 on the CPU.`,
    'Made by `PITH_WRITE_TABLES=1 npx vitest run test/model/forward.test.ts`, and checked by it.',
    '',
  ].join('\n');
}
