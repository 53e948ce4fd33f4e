import { chmod, link, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { acquireLock } from '../../../src/storage/lock-file.ts';
import { pith, pithJson } from '../pith.ts';
import { outcomeOf, outputName, refused, type Refusal } from './refusal.ts';
import { quantizeTiny, quantizeTo, tinyModel } from './tiny-model.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65534;

/** Replaces the value of `-o` on a command line. */
function to(output: string, args: readonly string[]): readonly string[] {
  return args.map((word, at) => (args[at - 1] === '-o' ? output : word));
}

const names: readonly Refusal[] = [
  {
    title: 'no output at all',
    code: 'usage',
    says: ['No output file', '-o model-q8_0.gguf'],
    make: async (folder) => ['quantize', await tinyModel(folder), '-t', 'Q8_0'],
  },
  {
    title: 'an output that is not called .gguf',
    code: 'usage',
    says: ['out.bin" is not named', 'out.gguf'],
    make: async (folder) => to(join(folder, 'out.bin'), await quantizeTiny(folder, {})),
  },
  {
    title: 'an empty name',
    code: 'usage',
    says: ['""', 'model.gguf'],
    make: async (folder) => to('', await quantizeTiny(folder, {})),
  },
  {
    title: 'a name that is not UTF-8',
    code: 'usage',
    says: ['not UTF-8'],
    options: { through: `exec "$@" -o "$(printf '/tmp/out\\377.gguf')"` },
    make: (folder) => quantizeTiny(folder, {}),
  },
  {
    title: 'a name of 300 letters',
    code: 'io',
    says: ['the name is too long'],
    make: async (folder) =>
      to(join(folder, `${'n'.repeat(300)}.gguf`), await quantizeTiny(folder, {})),
  },
  {
    title: 'a folder that is not there',
    code: 'not-found',
    says: [/no-such does not exist/, 'mkdir -p'],
    make: async (folder) => to(join(folder, 'no-such', outputName), await quantizeTiny(folder, {})),
  },
  {
    title: 'a file in place of the folder',
    code: 'not-found',
    says: ['not a folder'],
    async make(folder) {
      await writeFile(join(folder, 'file'), '');
      return to(join(folder, 'file', outputName), await quantizeTiny(folder, {}));
    },
  },
  {
    title: 'a folder in place of the file, even with --force',
    code: 'conflict',
    says: ['is a folder', 'model.gguf'],
    async make(folder) {
      await mkdir(join(folder, 'x.gguf'));
      return to(join(folder, 'x.gguf'), [...(await quantizeTiny(folder, {})), '--force']);
    },
  },
  {
    title: 'an output that exists',
    code: 'conflict',
    says: ['exists', '--force'],
    async make(folder) {
      await writeFile(join(folder, 'x.gguf'), 'precious');
      return to(join(folder, 'x.gguf'), await quantizeTiny(folder, {}));
    },
  },
  {
    title: 'an output that another process writes',
    code: 'conflict',
    says: [`process ${process.pid}`, 'Wait'],
    async make(folder) {
      await acquireLock(join(folder, 'x.gguf.lock'));
      return to(join(folder, 'x.gguf'), await quantizeTiny(folder, {}));
    },
  },
];

/** A GGUF file of the tiny model at `folder/in.gguf`. */
async function tinyGguf(folder: string): Promise<string> {
  const path = join(folder, 'in.gguf');
  const { code, stderr } = await pith(to(path, await quantizeTiny(folder, {})));
  if (code !== 0) throw new Error(stderr);
  return path;
}

const inputs: readonly Refusal[] = [
  {
    title: 'the input itself, with --force',
    code: 'conflict',
    says: ['in.gguf itself', 'another name'],
    async make(folder) {
      const path = await tinyGguf(folder);
      return to(path, quantizeTo(folder, path, '--force'));
    },
  },
  {
    title: 'the input by a link',
    code: 'conflict',
    says: ['is the input', 'in.gguf itself'],
    async make(folder) {
      const path = await tinyGguf(folder);
      await symlink(path, join(folder, 'link.gguf'));
      return to(join(folder, 'link.gguf'), quantizeTo(folder, path, '--force'));
    },
  },
  {
    title: 'the input by another name',
    code: 'conflict',
    says: ['is the input', 'in.gguf itself'],
    async make(folder) {
      const path = await tinyGguf(folder);
      await link(path, join(folder, 'link.gguf'));
      return to(join(folder, 'link.gguf'), quantizeTo(folder, path, '--force'));
    },
  },
];

const disks: readonly Refusal[] = [
  {
    title: 'a file larger than the system allows',
    code: 'no-space',
    says: [/\d+ of \d{7} bytes are written/, 'disk'],
    options: { through: 'ulimit -f 1000; exec "$@"' },
    make: async (folder) => to(join(folder, 'x.gguf'), await quantizeTiny(folder, {})),
  },
  {
    title: 'a folder that may not be written to',
    code: 'no-permission',
    says: ['permission denied', 'another folder'],
    ...(isRoot && { options: { uid: nobody } }),
    async make(folder) {
      const args = to(join(folder, 'closed', outputName), await quantizeTiny(folder, {}));
      await mkdir(join(folder, 'closed'));
      await chmod(join(folder, 'closed'), 0o555);
      await chmod(folder, 0o755);
      return args;
    },
  },
  {
    title: 'a model that may not be read',
    code: 'no-permission',
    says: ['permission denied', 'model.safetensors'],
    ...(isRoot && { options: { uid: nobody } }),
    async make(folder) {
      const args = await quantizeTiny(folder, {});
      await chmod(join(folder, 'model', 'model.safetensors'), 0);
      await chmod(folder, 0o755);
      return args;
    },
  },
];

test.concurrent.each([...names, ...inputs, ...disks])('$title', async (refusal) => {
  expect(await outcomeOf(refusal)).toEqual(refused(refusal));
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pith-output-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('of two at once to one output, one writes it and the other says so', async () => {
  await inFolder(async (folder) => {
    const args = await quantizeTiny(folder, {});
    const runs = await Promise.all([0, 1].map(() => pithJson<{ error?: object }>(args)));
    const [done, other] = runs.toSorted((a, b) => a.code! - b.code!);
    expect(done!.report.error).toBeUndefined();
    expect(other!.report.error).toMatchObject({ code: 'conflict' });
    expect((await readdir(folder)).sort()).toEqual(['model', outputName]);
    expect((await pithJson<{ ok: boolean }>(['verify', join(folder, outputName)])).report.ok).toBe(
      true,
    );
  });
});

test('spaces and emoji in names are names like others', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, ' my model 😀 №1.gguf');
    const args = to(path, await quantizeTiny(folder, {})).filter((word) => word !== '--no-verify');
    expect((await pithJson(args)).report).toMatchObject({ ok: true, output: path });
  });
});
