import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEvidence } from '../../dist/compress/evidence/index.js';
import type { CalibrateReport } from '../../dist/recipes/calibrate/calibrate.js';
import { openFile } from '../../dist/storage/index.js';
import { command as program, pith, pithJson, type Failure } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-calibrate-'));
const output = join(folder, 'sample.evidence.gguf');
const imatrix = join(folder, 'imatrix.gguf');
const command = ['calibrate', 'sample', '--tokens', '1100', '--threads', '2'];
let report: CalibrateReport;

beforeAll(async () => {
  ({ report } = await pithJson<CalibrateReport>([...command, '-o', output, '--imatrix', imatrix]));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function evidence(path: string) {
  const source = await openFile(path);
  try {
    return await readEvidence(source);
  } finally {
    await source.close();
  }
}

test('1100 tokens are two windows of 512; all 57 matrices have inputs and gradients', async () => {
  expect(report).toMatchObject({ tokens: 1024, windowTokens: 512, tensors: 57, gradients: true });
  const { tensors, embedding, source } = await evidence(output);
  for (const { inputs, outputs } of tensors.values()) {
    expect([...inputs.counts]).toEqual([1024]);
    expect(inputs.sums.every((sum) => sum > 0)).toBe(true);
    expect(outputs!.sums.every((sum) => sum > 0)).toBe(true);
  }
  expect(embedding!.rows.reduce((sum, count) => sum + count, 0)).toBe(1024);
  expect(source).toMatchObject({ model: 'sample', datasets: report.data });
  expect(source.modelHash).toMatch(/^[0-9a-f]{64}$/);
});

test('a model without a chat template says so, and that its text comes from the box', () => {
  expect(report.notes[0]).toContain('no chat template');
  expect(report.data).toContain('pith/dialogues.jsonl');
});

test('both files serve pith quantize as an importance matrix', async () => {
  for (const path of [output, imatrix]) {
    const out = join(folder, 'q2.gguf');
    const args = ['quantize', 'sample', '--type', 'Q2_K', '--imatrix', path, '-o', out];
    const { code, report } = await pithJson<{ relativeError: number }>([
      ...args,
      '--no-verify',
      '--force',
    ]);
    expect(code).toBe(0);
    expect(report.relativeError).toBeGreaterThan(0);
  }
}, 60_000);

test('the same command writes the same bytes; an output that exists is not replaced', async () => {
  const again = join(folder, 'again.gguf');
  await pithJson([...command, '-o', again]);
  expect(readFileSync(again).equals(readFileSync(output))).toBe(true);
  const { code, report } = await pithJson<Failure>([...command, '-o', again]);
  expect(code).toBe(1);
  expect(report.error.code).toBe('conflict');
}, 120_000);

describe('an interrupted calibration', () => {
  const place = join(folder, 'stopped.gguf');
  const state = `${place}.state`;
  /** A pass of 32 windows, and one of 7. */
  const long = ['--tokens', '20000', '--no-gradients', '--hessian-block', '256', '--threads', '2'];

  /** Starts it and sends it a signal as soon as `isDue`. */
  async function stop(signal: NodeJS.Signals, isDue: () => boolean): Promise<string> {
    const line = [program, 'calibrate', 'sample', ...long, '-o', place];
    const child = spawn(process.execPath, line, { detached: true });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    let isSent = false;
    const watching = setInterval(() => {
      // The command runs in a process of its own: the whole group gets the signal.
      if (!isSent && isDue()) isSent = process.kill(-child.pid!, signal);
    }, 2);
    await once(child, 'close');
    clearInterval(watching);
    return stderr;
  }

  test('continues after kill -9 and after Ctrl-C, and ends with the bytes of one that was not', async () => {
    await stop('SIGKILL', () => existsSync(state) && !existsSync(`${state}.lock`));
    expect(existsSync(place)).toBe(false);
    const before = statSync(state).ino;
    const said = await stop('SIGINT', () => existsSync(`${state}.lock`));
    expect(said).toContain(`Stopped; 32 of 39 windows are kept in ${state}.`);
    expect(statSync(state).ino).toBe(before);

    const line = ['calibrate', 'sample', ...long, '-o'];
    const { report } = await pithJson<CalibrateReport>([...line, place]);
    expect(report.notes).toContain('Continued an interrupted run after 32 windows.');
    expect(existsSync(state)).toBe(false);
    const whole = join(folder, 'whole.gguf');
    await pithJson([...line, whole]);
    expect(readFileSync(place).equals(readFileSync(whole))).toBe(true);
  }, 300_000);

  test('its Hessians have the second moments on their diagonals; 8 layers of 4 and the output have one each', async () => {
    const source = await openFile(place);
    try {
      const { tensors, hessians } = await readEvidence(source);
      expect(hessians!.shapes.size).toBe(33);
      expect(hessians!.keptAs.size).toBe(57);
      for (const name of ['blk.0.attn_v.weight', 'blk.7.ffn_down.weight', 'token_embd.weight']) {
        const { sums, columns, blockSize, tokens } = (await hessians!.hessianOf(name))!;
        expect([blockSize, tokens]).toEqual([256, 19_968]);
        const { inputs } = tensors.get(name)!;
        for (let at = 0; at < columns; at++) {
          const inBlock = at % blockSize;
          const diagonal = sums[at * blockSize + inBlock]!;
          expect(diagonal / inputs.sums[at]!).toBeCloseTo(1, 4);
        }
      }
    } finally {
      await source.close();
    }
  });
});

test('too little text for the Hessians asked for is refused with both numbers', async () => {
  const out = join(folder, 'few.gguf');
  const args = ['calibrate', 'sample', '--tokens', '600', '--hessians', '-o', out];
  const { code, report } = await pithJson<Failure>(args);
  expect(code).toBe(1);
  expect(report.error.message).toContain('512 tokens are too few for Hessians of 768 columns');
  expect(report.error.hint).toContain('--hessian-block 256');
});

test('text shorter than a window is refused with both numbers, and leaves nothing', async () => {
  const data = join(folder, 'short.txt');
  writeFileSync(data, 'Once upon a time.');
  const before = readdirSync(folder);
  const args = ['calibrate', 'sample', '--data', data, '-o', join(folder, 'short.gguf')];
  const { code, report } = await pithJson<Failure>(args);
  expect(code).toBe(1);
  expect(report.error.message).toMatch(
    /There are \d+ tokens to calibrate on, fewer than one window of 512/,
  );
  expect(readdirSync(folder)).toEqual(before);
});

test('a model that is not there is refused', async () => {
  const { code, stderr } = await pith(['calibrate', 'nowhere', '-o', join(folder, 'x.gguf')]);
  expect(code).toBe(1);
  expect(stderr).toContain('There is no model at nowhere');
});
