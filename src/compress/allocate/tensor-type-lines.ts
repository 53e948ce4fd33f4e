import type { Allocation } from './choice.ts';

/**
 * The types as a file for `llama-quantize --tensor-type-file`: a line `pattern=type` each, whose pattern matches the
 * whole name of one tensor.
 *
 * @see parse_tensor_type_file in tools/quantize/quantize.cpp, llama.cpp v0.5.0: words between white space, cut at their
 *   first `=`; the pattern is lowered and searched for in each name (std::regex), the first that is found counts.
 * @remarks Letters that lowering would change, and what would end a word, become `.`, which any letter matches.
 *   llama-quantize uses them beside a quantized file type, such as Q4_K_M, and without --output-tensor-type and
 *   --token-embedding-type.
 */
export function tensorTypeLines({ types }: Pick<Allocation, 'types'>): string {
  return [...types].map(([name, type]) => `${patternOf(name)}=${type.toLowerCase()}\n`).join('');
}

function patternOf(name: string): string {
  return `^${name.replaceAll(/[^a-z0-9_]/g, (letter) => (letter === '.' ? '\\.' : '.'))}$`;
}
