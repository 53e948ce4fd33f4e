import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { meta, type MetadataValue } from '../../../src/formats/gguf/metadata.ts';
import { openGguf } from '../../../src/formats/gguf/open.ts';
import { planGguf, type GgufTensorInfo } from '../../../src/formats/gguf/plan.ts';
import type { VerifyReport } from '../../../src/recipes/verify/verify.ts';
import { memorySource } from '../../../src/util/memory-source.ts';
import { pith, pithJson } from '../pith.ts';
import { quantizeTiny } from './tiny-model.ts';

let folder: string;
let whole: Uint8Array;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-engine-'));
  const { code, stderr } = await pith(await quantizeTiny(folder, {}));
  if (code !== 0) throw new Error(stderr);
  whole = await readFile(join(folder, 'out.gguf'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What is wrong with a GGUF file that Pith's own reader has nothing against. */
interface Contradiction {
  readonly title: string;
  readonly keys?: (keys: Map<string, MetadataValue>) => void;
  /** Another type for a tensor, whose data become zeros. */
  readonly tensor?: (tensor: GgufTensorInfo) => GgufTensorInfo;
}

/** Writes such a file and returns its path. */
async function write({ title, keys, tensor }: Contradiction): Promise<string> {
  const file = await openGguf(memorySource(whole));
  const metadata = new Map(file.metadata);
  keys?.(metadata);
  const stored = [...file.tensors.values()];
  const { header, tensors, totalBytes } = planGguf(
    metadata,
    stored.map((info) => tensor?.(info) ?? info),
  );
  const bytes = new Uint8Array(totalBytes);
  bytes.set(header);
  for (const [at, { offset, type }] of tensors.entries()) {
    const from = stored[at]!;
    if (type !== from.type) continue;
    bytes.set(whole.subarray(from.offset, from.offset + from.byteLength), offset);
  }
  const path = join(folder, `${title}.gguf`);
  await writeFile(path, bytes);
  return path;
}

const crashes: readonly (Contradiction & { readonly says: RegExp })[] = [
  {
    title: 'two tokens of one text',
    says: /GGML_ASSERT\(id_to_token/,
    keys(keys) {
      const { value } = keys.get('tokenizer.ggml.tokens')!;
      keys.set('tokenizer.ggml.tokens', meta.strings((value as readonly string[]).with(100, 'a')));
    },
  },
  {
    title: 'the wrong kind of tokenizer',
    says: /SIGABRT/,
    keys: (keys) => keys.set('tokenizer.ggml.model', meta.string('llama')),
  },
  {
    title: 'no heads',
    says: /GGML_ASSERT/,
    keys: (keys) => keys.set('llama.attention.head_count', meta.uint32(0)),
  },
  {
    title: 'no layers',
    says: /GGML_ASSERT/,
    keys: (keys) => keys.set('llama.block_count', meta.uint32(0)),
  },
  {
    title: 'an epsilon that is NaN',
    says: /GGML_ASSERT\(eps/,
    keys: (keys) => keys.set('llama.attention.layer_norm_rms_epsilon', meta.float32(NaN)),
  },
  {
    title: 'integers for weights',
    says: /SIGSEGV/,
    tensor: (tensor) =>
      tensor.name === 'blk.0.attn_q.weight' ? { ...tensor, type: 'I8' } : tensor,
  },
];

test.concurrent.each(crashes)(
  'llama.cpp crashes on $title: verify, run and bench say so and live',
  async (bad) => {
    const path = await write(bad);
    const { report, code } = await pithJson<VerifyReport>(['verify', path]);
    expect(code).toBe(1);
    const failed = report.checks.filter(({ ok }) => !ok);
    expect(failed.at(-1)).toMatchObject({
      name: 'generation',
      code: 'engine',
      detail: expect.stringMatching(bad.says),
      hint: expect.stringContaining('convert the model again'),
    });
    for (const line of [
      ['run', path, '-p', 'Once'],
      ['bench', path, '-n', '2', '--prompts', '4'],
    ]) {
      const { code, report } = await pithJson(line);
      expect(code).toBe(1);
      expect(report).toMatchObject({
        error: { code: 'engine', hint: 'See what is wrong with the file: pith verify FILE' },
      });
    }
  },
);

const refusals: readonly (Contradiction & { readonly says: RegExp })[] = [
  {
    title: 'an architecture that nobody knows',
    says: /unknown model architecture: 'secret'/,
    keys: (keys) => keys.set('general.architecture', meta.string('secret')),
  },
  {
    title: 'a context of 2^32 - 1 tokens',
    says: /4294967295/,
    keys: (keys) => keys.set('llama.context_length', meta.uint32(2 ** 32 - 1)),
  },
  {
    title: 'a context of 0 tokens',
    says: /trained context of 0/,
    keys: (keys) => keys.set('llama.context_length', meta.uint32(0)),
  },
  {
    title: 'more layers than tensors',
    says: /blk\.1\./,
    keys: (keys) => keys.set('llama.block_count', meta.uint32(2)),
  },
];

test.concurrent.each(refusals)('$title: verify reports it as JSON alone', async (bad) => {
  const path = await write(bad);
  const { report, stderr } = await pithJson<VerifyReport>(['verify', path]);
  expect(report.ok).toBe(false);
  expect(report.checks.map(({ detail }) => detail).join('\n')).toMatch(bad.says);
  expect(stderr).toBe('');
  const run = await pithJson(['run', path, '-p', 'Once']);
  expect(run.report).toMatchObject({ error: { message: expect.stringMatching(bad.says) } });
});
