import { encodableTypes, type EncodableType } from '../../kernels/kernels.ts';
import { blockTypes } from '../../tensor/block-types.ts';
import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';

/**
 * What a whole file is quantized to: `id` is llama.cpp's `general.file_type`, `base` the block type
 * of every tensor that no rule of the mix names.
 *
 * @see include/llama.h (enum llama_ftype) and src/llama-quant.cpp, llama.cpp v0.5.0.
 */
export const fileTypes = {
  F32: { id: 0, base: 'F32' },
  F16: { id: 1, base: 'F16' },
  BF16: { id: 32, base: 'BF16' },
  Q8_0: { id: 7, base: 'Q8_0' },
  Q6_K: { id: 18, base: 'Q6_K' },
  Q5_K_M: { id: 17, base: 'Q5_K' },
  Q5_K_S: { id: 16, base: 'Q5_K' },
  Q5_1: { id: 9, base: 'Q5_1' },
  Q5_0: { id: 8, base: 'Q5_0' },
  Q4_K_M: { id: 15, base: 'Q4_K' },
  Q4_K_S: { id: 14, base: 'Q4_K' },
  Q4_1: { id: 3, base: 'Q4_1' },
  Q4_0: { id: 2, base: 'Q4_0' },
  IQ4_NL: { id: 25, base: 'IQ4_NL' },
  IQ4_XS: { id: 30, base: 'IQ4_XS' },
  MXFP4_MOE: { id: 38, base: 'MXFP4' },
  Q3_K_L: { id: 13, base: 'Q3_K' },
  Q3_K_M: { id: 12, base: 'Q3_K' },
  IQ3_M: { id: 27, base: 'IQ3_S' },
  IQ3_S: { id: 26, base: 'IQ3_S' },
  Q3_K_S: { id: 11, base: 'Q3_K' },
  IQ3_XS: { id: 22, base: 'IQ3_S' },
  IQ3_XXS: { id: 23, base: 'IQ3_XXS' },
  Q2_K: { id: 10, base: 'Q2_K' },
  Q2_K_S: { id: 21, base: 'Q2_K' },
  IQ2_M: { id: 29, base: 'IQ2_S' },
  IQ2_S: { id: 28, base: 'IQ2_XS' },
  IQ2_XS: { id: 20, base: 'IQ2_XS' },
  IQ2_XXS: { id: 19, base: 'IQ2_XXS' },
  Q2_0: { id: 41, base: 'Q2_0' },
  TQ2_0: { id: 37, base: 'TQ2_0' },
  TQ1_0: { id: 36, base: 'TQ1_0' },
  Q1_0: { id: 40, base: 'Q1_0' },
} as const satisfies Record<string, { id: number; base: EncodableType }>;

/** A file type that Pith writes, by llama.cpp's name. */
export type FileType = keyof typeof fileTypes;

/** Every file type that Pith writes, largest first. */
export const fileTypeNames = Object.keys(fileTypes) as readonly FileType[];

/** llama-quantize's short names, and MXFP4, whose file type exists for mixtures of experts only. */
const aliases: Record<string, FileType> = {
  Q5_K: 'Q5_K_M',
  Q4_K: 'Q4_K_M',
  Q3_K: 'Q3_K_M',
  MXFP4: 'MXFP4_MOE',
};

/** llama.cpp's file types that need an encoder Pith lacks, with the nearest one it has. */
const unsupported: Record<string, FileType> = {
  IQ1_M: 'IQ2_XXS',
  IQ1_S: 'IQ2_XXS',
  NVFP4: 'MXFP4_MOE',
};

/** What `--type` asks for. */
export interface QuantizationType {
  readonly name: FileType;
  /** Every tensor that may be quantized takes the base type; no rule raises one. */
  readonly uniform: boolean;
}

/**
 * Reads the value of `--type`, letter case ignored: a file type, one of llama-quantize's aliases
 * (Q4_K is Q4_K_M) or a block type. `pure` asks for the base block type everywhere; MXFP4 is always
 * uniform, because llama.cpp's MXFP4_MOE keeps dense tensors in Q8_0.
 *
 * @throws {@link PithError} `unsupported` for llama.cpp's other file types, `usage` for the rest.
 */
export function parseFileType(text: string, pure = false): QuantizationType {
  const name = text.toUpperCase();
  const fileType = aliases[name] ?? (name in fileTypes ? (name as FileType) : undefined);
  if (fileType) return { name: fileType, uniform: pure || name === 'MXFP4' };
  const instead = unsupported[name];
  if (instead) {
    throw new PithError(
      'unsupported',
      `Pith has no encoder for ${name}; it reads such files but does not write them.`,
      `Use --type ${instead}, the nearest type that it writes.`,
    );
  }
  throw unknownType(text, [...fileTypeNames, ...Object.keys(aliases)]);
}

/**
 * Reads the name of a block type that Pith can write, letter case ignored.
 *
 * @throws {@link PithError} `unsupported` when Pith only decodes it, `usage` when it is none.
 */
export function parseBlockType(text: string): EncodableType {
  const name = text.toUpperCase();
  if ((encodableTypes as readonly string[]).includes(name)) return name as EncodableType;
  if (!(name in blockTypes)) throw unknownType(text, encodableTypes);
  throw new PithError(
    'unsupported',
    `Pith decodes ${name} but has no encoder for it.`,
    `Choose one of ${encodableTypes.join(', ')}.`,
  );
}

function unknownType(text: string, known: readonly string[]): PithError {
  const nearest = nearestName(text, known);
  return new PithError(
    'usage',
    `There is no quantization type ${JSON.stringify(text)}.`,
    `${nearest ? `Did you mean ${nearest}? ` : ''}Known: ${known.join(', ')}.`,
  );
}
