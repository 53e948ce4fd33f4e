import { expect, test } from 'vitest';
import { version } from '../../src/util/version.ts';
import { pith, pithJson } from './pith.ts';

test('pith alone, --help and -h list the commands', async () => {
  const lines: string[][] = [[], ['--help'], ['-h']];
  const outputs = await Promise.all(lines.map((args) => pith(args)));
  for (const { code, stdout, stderr } of outputs) {
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(outputs[0]!.stdout);
  }
  for (const name of ['doctor', 'inspect', 'quantize', 'verify', 'run', 'chat']) {
    expect(outputs[0]!.stdout).toContain(`\n  ${name} `);
  }
});

test('--version prints the version alone', async () => {
  expect(await pith(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('every command explains itself with an example, in at most 96 columns', async () => {
  const { stdout } = await pith(['--help']);
  const names = [...stdout.matchAll(/^ {2}(\w+) /gm)].map((match) => match[1]!);
  const commands = names.filter((name) => name !== 'pith');
  expect(commands.length).toBeGreaterThanOrEqual(6);
  const helps = await Promise.all(commands.map((name) => pith([name, '--help'])));
  for (const [at, { code, stdout }] of helps.entries()) {
    const name = commands[at]!;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n {2}(.*\\| )?pith ${name}`));
    const [text] = stdout.split('Examples:');
    expect(text!.split('\n').filter((line) => line.length > 96)).toEqual([]);
  }
});

test('help of a command, word for word', async () => {
  expect((await pith(['inspect', '--help'])).stdout).toMatchInlineSnapshot(`
    "pith inspect: Show what a model is: size, tensors, memory.

    Usage: pith inspect MODEL [options]

    Reads the header only, no weights, so that it takes no time on a large model.

      MODEL            A .gguf file, a Hugging Face folder, or sample.
          --tensors    List every tensor.
          --context N  Tokens to estimate memory for. Default: as trained, at most 4096.
          --json       Print one JSON object on stdout.
      -q, --quiet      No progress and no notes.
      -h, --help       Show this help.

    Examples:
      pith inspect sample
      pith inspect model.gguf --tensors --context 8192
    "
  `);
});

test.each([
  [['rnu'], 'pith: There is no command "rnu". [usage]\n  Did you mean pith run?\n'],
  [['--verson'], 'pith: Unknown option --verson. [usage]\n  Did you mean pith --version?\n'],
  [['run', 'x.gguf', '-p', 'a', '--tepm', '0'], /Unknown option --tepm[^]*Did you mean --temp\?/],
  [['run'], /MODEL is missing[^]*pith run model\.gguf -p/],
  [
    ['run', 'x.gguf', '-p', 'a', '-n', 'many'],
    /-n must be a whole number of at least 1, not "many"/,
  ],
])('%j is a usage error: exit 2, nothing on stdout', async (args, message) => {
  const { code, stdout, stderr } = await pith(args);
  expect([code, stdout]).toEqual([2, '']);
  if (typeof message === 'string') expect(stderr).toBe(message);
  else expect(stderr).toMatch(message);
});

test('with --json an error is one object on stdout, and stderr is silent', async () => {
  const { code, stderr, report } = await pithJson(['run', 'no-such.gguf', '-p', 'a']);
  expect([code, stderr]).toEqual([1, '']);
  expect(report).toEqual({
    error: {
      code: 'not-found',
      message: 'Cannot open no-such.gguf: it does not exist.',
      hint: 'Check the path.',
    },
  });
});
