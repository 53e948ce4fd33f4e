import { codebookData } from './codebook-data.ts';

/** Names of the codebooks: IQ1_S and IQ1_M share one. */
export type CodebookName = keyof typeof codebookData;

/** The codebook of each type that is encoded with one. */
export const codebookOf = {
  IQ3_S: 'iq3s',
  IQ3_XXS: 'iq3xxs',
  IQ2_S: 'iq2s',
  IQ2_XS: 'iq2xs',
  IQ2_XXS: 'iq2xxs',
} as const satisfies Record<string, CodebookName>;

/** A block type that is encoded with a codebook. */
export type CodebookType = keyof typeof codebookOf;

/** Unpacks a codebook: entry e is the `width` values from index `e * width` on. */
export function codebook(name: CodebookName): Int8Array {
  const { bits, levels, packed } = codebookData[name];
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const perByte = 8 / bits;
  return Int8Array.from({ length: bytes.length * perByte }, (_, i) => {
    const index = (bytes[Math.floor(i / perByte)]! >> (bits * (i % perByte))) & ((1 << bits) - 1);
    return levels[index]!;
  });
}
