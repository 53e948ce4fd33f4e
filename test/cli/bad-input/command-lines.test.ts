import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcomeOf, refused, type Refusal } from './refusal.ts';
import { tinyModel } from './tiny-model.ts';

/** A case about a command line that never comes to reading a model. */
function line(args: string, code: Refusal['code'], says: Refusal['says']): Refusal {
  return { title: args, code, says, make: () => args.split(' ') };
}

const dry = 'quantize sample --dry-run --type';

const lines: readonly Refusal[] = [
  line(`${dry} Q4_K_N`, 'usage', ['"Q4_K_N"', 'Did you mean Q4_K_M?']),
  line(`${dry} q4km`, 'usage', ['Did you mean Q4_K_M?']),
  line(`${dry} Q80`, 'usage', ['Did you mean Q8_0?']),
  line(`${dry} int4`, 'usage', ['"int4"', 'Known: ']),
  line(`${dry} __proto__`, 'usage', ['Known: ']),
  line(`${dry} IQ1_S`, 'unsupported', ['IQ1_S', '--type IQ2_XXS']),
  line(`${dry} Q8_0 --tensor attn_v`, 'usage', ["--tensor 'attn_v=Q6_K'"]),
  line(`${dry} Q8_0 --tensor attn_v=`, 'usage', ["--tensor 'attn_v=Q6_K'"]),
  line(`${dry} Q8_0 --tensor =Q6_K`, 'usage', ["--tensor 'attn_v=Q6_K'"]),
  line(`${dry} Q8_0 --tensor attn_(v=Q6_K`, 'usage', ['regular expression', 'backslash']),
  line(`${dry} Q8_0 --tensor (a+)+b=Q6_K`, 'usage', ['repetitions', 'several --tensor']),
  line(`${dry} Q8_0 --tensor attn_v=Q6K`, 'usage', ['"Q6K"', 'Did you mean Q6_K?']),
  line(`${dry} Q8_0 --tensor attn_v=IQ1_S`, 'unsupported', ['IQ1_S', 'Q2_K']),
  line(`${dry} Q8_0 --threads 0`, 'usage', ['from 1 to 512', '"0"']),
  line(`${dry} Q8_0 --threads two`, 'usage', ['"two"']),
  line(`${dry} Q8_0 --forse`, 'usage', ['--forse', '--force']),
  line(`${dry} Q8_0 --force=yes`, 'usage', ['takes no value']),
  line('quantize sample', 'usage', ['--type is missing']),
  line('quantize --type Q8_0', 'usage', ['MODEL is missing']),
  line('quantize sample other --type Q8_0', 'usage', ['"other" is one too many']),
  line('quantise sample', 'usage', ['"quantise"', 'quantize']),
  line('quantize hf:owner/name --type Q8_0 --dry-run', 'unsupported', [
    'git clone https://huggingface.co/owner/name',
  ]),
  line('quantize no/such/folder --type Q8_0 --dry-run', 'not-found', ['no/such/folder']),
  line('inspect no-such.gguf', 'not-found', ['no-such.gguf']),
  line('verify no-such.gguf', 'not-found', ['no-such.gguf']),
  line('verify sample', 'unsupported', ['pith quantize sample']),
  line('run no-such.gguf -p a', 'not-found', ['no-such.gguf']),
  line('run sample -p a', 'unsupported', ['pith quantize sample']),
  line('chat no-such.gguf', 'not-found', ['no-such.gguf']),
];

const files: readonly Refusal[] = [
  {
    title: 'a .safetensors file in place of its folder',
    code: 'unsupported',
    says: ['the folder that holds it'],
    make: async (folder) => [
      'quantize',
      join(await tinyModel(folder), 'model.safetensors'),
      '-t',
      'Q8_0',
    ],
  },
  {
    title: 'a picture in place of a model',
    code: 'unsupported',
    says: ['neither a folder nor a .gguf file'],
    async make(folder) {
      await writeFile(join(folder, 'x.png'), 'PNG');
      return ['inspect', join(folder, 'x.png')];
    },
  },
];

test.concurrent.each([...lines, ...files])('pith $title', async (refusal) => {
  expect(await outcomeOf(refusal)).toEqual(refused(refusal));
});
