import { codebookData } from './codebook-data.ts';

/** Names of the codebooks: IQ1_S and IQ1_M share one. */
export type CodebookName = keyof typeof codebookData;

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
