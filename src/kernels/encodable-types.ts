import type { BlockType } from '../tensor/block-types.ts';

/** Block types that Pith can write. The others of `BlockType` can only be decoded. */
export const encodableTypes = [
  'F32',
  'F16',
  'BF16',
  'Q8_0',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'IQ4_NL',
  'IQ4_XS',
  'IQ3_S',
  'IQ3_XXS',
  'IQ2_S',
  'IQ2_XS',
  'IQ2_XXS',
  'TQ1_0',
  'TQ2_0',
  'Q2_0',
  'Q1_0',
  'MXFP4',
] as const satisfies readonly BlockType[];

/** A block type that Pith can write. */
export type EncodableType = (typeof encodableTypes)[number];

/** Whether Pith can write a block type. */
export function isEncodable(type: BlockType): type is EncodableType {
  return (encodableTypes as readonly BlockType[]).includes(type);
}
