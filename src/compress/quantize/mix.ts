import type { EncodableType } from '../../kernels/kernels.ts';
import { blockTypes } from '../../tensor/block-types.ts';
import { columnsOf } from '../../tensor/tensor.ts';
import { fileTypes, type FileType } from './file-types.ts';
import type { Role } from './roles.ts';

/** What the rules of a mix ask about a model. */
export interface MixContext {
  readonly architecture: string;
  readonly layers: number;
  /** Query heads that share one key/value head. */
  readonly headsPerKvHead: number;
  readonly experts: number;
  /** The embedding matrix is also the output matrix. */
  readonly tiedHead: boolean;
  /** One of the 70-billion-parameter layouts whose value matrices are cheap to keep well. */
  readonly is70B: boolean;
  readonly hasImportance: boolean;
}

/** What the rules of a mix ask about a tensor. */
export interface MixTensor {
  readonly shape: readonly number[];
  readonly role: Role;
  /** Place among the `peers` tensors of its role, in layer order; the layer in a model of experts. */
  readonly index: number;
  /** Tensors of its role before it, whether or not they lie in the same layer. */
  readonly position: number;
  readonly peers: number;
}

/** The type a tensor takes instead of the base type; undefined for the base type. */
type Rule = (tensor: MixTensor, model: MixContext) => EncodableType | undefined;

const always =
  (type: EncodableType): Rule =>
  () =>
    type;

const when =
  (condition: (tensor: MixTensor, model: MixContext) => boolean, type: EncodableType): Rule =>
  (tensor, model) =>
    condition(tensor, model) ? type : undefined;

const either =
  (...rules: readonly Rule[]): Rule =>
  (tensor, model) => {
    for (const rule of rules) {
      const type = rule(tensor, model);
      if (type) return type;
    }
    return undefined;
  };

const isFalcon = (_: MixTensor, model: MixContext) => model.architecture === 'falcon';

const notFalcon = (type: EncodableType): Rule =>
  when((tensor, model) => !isFalcon(tensor, model), type);

const eighth = (count: number) => Math.floor(count / 8);
const inFirstEighth = ({ index, peers }: MixTensor) => index < eighth(peers);
const inFirstSixteenth = ({ index, peers }: MixTensor) => index < Math.floor(peers / 16);
const manyHeadsShare = (_: MixTensor, model: MixContext) => model.headsPerKvHead >= 4;

/** The layers that lose most from coarse rounding: the first and last eighth and every third between. */
const isSensitive = ({ index, peers }: MixTensor) =>
  index < eighth(peers) ||
  index >= Math.floor((7 * peers) / 8) ||
  (index - eighth(peers)) % 3 === 2;

const firstDownBetter = (type: EncodableType): Rule =>
  when((tensor, model) => inFirstEighth(tensor) && !model.hasImportance, type);

/** With an imatrix the first layers of these two need a minimum besides the scale. */
const firstDownWithMin = (type: EncodableType): Rule =>
  when((tensor, model) => inFirstEighth(tensor) && model.hasImportance, type);

const exceptOuterEighths = ({ index, peers }: MixTensor) =>
  index >= eighth(peers) && index < Math.floor((7 * peers) / 8);

const inMiddle = when(exceptOuterEighths, 'IQ3_XXS');
const sharedValue = when(manyHeadsShare, 'Q4_K');

/** The two-bit mixes count every matrix, also where experts give a layer several of a role. */
const inFirstEighthCounted = ({ position, peers }: MixTensor) => position < eighth(peers);

/** The two-bit mixes raise value and output matrices and the first down matrices to `better`. */
const iq2 = (
  better: EncodableType,
  embedding: EncodableType,
  attentionOutput?: EncodableType,
): Partial<Record<Role, Rule>> => ({
  embedding: always(embedding),
  value: either(
    when((tensor, model) => manyHeadsShare(tensor, model) || model.experts >= 4, 'Q4_K'),
    always(better),
  ),
  key: when((_, model) => model.experts === 8, 'Q4_K'),
  down: when(inFirstEighthCounted, better),
  attentionOutput: (_, model) => (model.experts === 8 ? 'Q5_K' : attentionOutput),
});

const iq4: Partial<Record<Role, Rule>> = {
  value: when(manyHeadsShare, 'Q5_K'),
  down: firstDownBetter('Q5_K'),
};

/** Per file type, the roles that do not take its base type. */
const recipes: Partial<Record<FileType, Partial<Record<Role, Rule>>>> = {
  Q2_K: {
    value: either(when(manyHeadsShare, 'Q4_K'), always('Q3_K')),
    down: always('Q3_K'),
    attentionOutput: notFalcon('Q3_K'),
  },
  Q2_K_S: { value: when(manyHeadsShare, 'Q4_K'), down: when(inFirstEighth, 'Q4_K') },
  Q3_K_M: {
    value: either(
      when(({ index }) => index < 2, 'Q5_K'),
      always('Q4_K'),
    ),
    down: either(
      when(inFirstSixteenth, 'Q5_K'),
      when((tensor, model) => !isFalcon(tensor, model) || isSensitive(tensor), 'Q4_K'),
    ),
    attentionOutput: notFalcon('Q4_K'),
  },
  Q3_K_L: {
    value: always('Q5_K'),
    down: either(when(isFalcon, 'Q4_K'), always('Q5_K')),
    attentionOutput: either(when(isFalcon, 'Q4_K'), always('Q5_K')),
  },
  IQ3_M: {
    value: always('Q4_K'),
    down: when(
      (tensor, model) => inFirstEighth(tensor) || (model.experts === 8 && isSensitive(tensor)),
      'Q4_K',
    ),
    attentionOutput: notFalcon('Q4_K'),
  },
  IQ3_S: { value: sharedValue },
  IQ3_XS: {
    value: sharedValue,
    key: always('IQ3_XXS'),
    query: always('IQ3_XXS'),
    gate: inMiddle,
    up: inMiddle,
  },
  IQ3_XXS: {
    embedding: always('IQ3_S'),
    value: either(
      sharedValue,
      when((_, model) => !model.hasImportance, 'IQ3_S'),
    ),
    key: always('IQ2_S'),
    query: always('IQ2_S'),
    down: either(
      firstDownBetter('Q4_K'),
      when((_, model) => !model.hasImportance, 'Q3_K'),
    ),
    attentionOutput: notFalcon('IQ3_S'),
  },
  IQ2_M: iq2('IQ3_S', 'IQ3_S', 'IQ3_S'),
  IQ2_S: iq2('IQ3_S', 'IQ3_S', 'IQ3_S'),
  IQ2_XS: iq2('Q2_K', 'Q2_K'),
  IQ2_XXS: iq2('Q2_K', 'Q2_K'),
  Q4_K_S: {
    value: when(({ index }) => index < 4, 'Q5_K'),
    down: when((tensor, model) => inFirstEighth(tensor) && !isFalcon(tensor, model), 'Q5_K'),
  },
  Q4_K_M: {
    value: when(isSensitive, 'Q6_K'),
    down: (tensor, model) => {
      if (!isFalcon(tensor, model)) return isSensitive(tensor) ? 'Q6_K' : undefined;
      if (inFirstSixteenth(tensor)) return 'Q6_K';
      return isSensitive(tensor) ? 'Q5_K' : undefined;
    },
  },
  Q5_K_M: { value: when(isSensitive, 'Q6_K'), down: when(isSensitive, 'Q6_K') },
  IQ4_NL: iq4,
  IQ4_XS: iq4,
  Q4_0: { down: firstDownWithMin('Q4_1') },
  Q5_0: { down: firstDownWithMin('Q5_1') },
  TQ1_0: { embedding: always('Q4_K') },
  TQ2_0: { embedding: always('Q4_K') },
  Q2_0: { embedding: always('Q4_K') },
};

/** Mixes whose attention output rises to Q5_K in a model of eight experts; the others keep the base. */
const eightExpertsOutputQ5: readonly FileType[] = [
  'Q2_K',
  'Q3_K_S',
  'Q3_K_M',
  'IQ3_M',
  'IQ3_S',
  'IQ3_XS',
  'IQ3_XXS',
  'IQ4_NL',
  'IQ4_XS',
  'Q4_K_S',
  'Q4_K_M',
];

/** Their recipes name every exception. */
const twoBit: readonly FileType[] = ['IQ2_M', 'IQ2_S', 'IQ2_XS', 'IQ2_XXS'];

/** Mixes whose output matrix takes Q5_K instead of Q6_K. */
const smallHead: readonly FileType[] = [...twoBit, 'IQ3_XXS'];

/**
 * The block type that a mix gives to one quantizable tensor, before its shape is looked at.
 *
 * The same choices as llama-quantize, told as one table a mix.
 *
 * @see llama_tensor_get_type_impl in src/llama-quant.cpp, llama.cpp v0.5.0.
 * @remarks Differs: a layer is known by the tensor's place among its peers, so an override of one
 *   tensor never moves the others; llama-quantize counts only the tensors it did not override.
 *   Checked tensor by tensor: test/golden/quantize-mixes.json.
 */
export function mixType(mix: FileType, tensor: MixTensor, model: MixContext): EncodableType {
  const base = fileTypes[mix].base;
  if (blockTypes[base].weights === 1) return base;
  if (tensor.role === 'head' || (tensor.role === 'embedding' && model.tiedHead)) {
    return headType(mix, tensor, model);
  }
  if (mix === 'MXFP4_MOE') return isExpertStack(tensor, model) ? 'MXFP4' : 'Q8_0';
  const type = recipes[mix]?.[tensor.role]?.(tensor, model) ?? base;
  return twoBit.includes(mix) ? type : adjustForModel(type, mix, tensor, model);
}

/** The output matrix decides every token: Q5_K in the smallest mixes, Q6_K in others. */
function headType(mix: FileType, tensor: MixTensor, model: MixContext): EncodableType {
  const base = fileTypes[mix].base;
  const fits = columnsOf(tensor.shape) % blockTypes[base].weights === 0;
  if (mix === 'MXFP4_MOE' || model.architecture === 'falcon' || !fits) return 'Q8_0';
  if (base === 'Q8_0') return 'Q8_0';
  return smallHead.includes(mix) ? 'Q5_K' : 'Q6_K';
}

/** Bailing's latent-attention projections are three-dimensional too, but no experts. */
function isExpertStack({ shape, role }: MixTensor, model: MixContext): boolean {
  const isFeedForward = role === 'up' || role === 'gate' || role === 'down';
  return (shape.at(-3) ?? 1) > 1 && (model.architecture !== 'bailingmoe3' || isFeedForward);
}

/** Where value, key and output matrices are a small part of the model, more bits cost nothing. */
function adjustForModel(
  type: EncodableType,
  mix: FileType,
  { role }: MixTensor,
  model: MixContext,
): EncodableType {
  if (model.experts === 8) {
    if (role === 'value' || role === 'key') return 'Q8_0';
    if (role === 'attentionOutput' && model.architecture !== 'falcon') {
      return eightExpertsOutputQ5.includes(mix) ? 'Q5_K' : fileTypes[mix].base;
    }
  }
  const raises70B = role === 'value' && model.is70B && (type === 'Q3_K' || type === 'Q4_K');
  return raises70B ? 'Q5_K' : type;
}

/** What a type of longer blocks gives way to when they do not divide a row; for Q1_0, llama-quantize has nothing and stops. */
const narrower: Partial<Record<EncodableType, EncodableType>> = {
  IQ4_XS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ2_S: 'IQ4_NL',
  IQ2_XS: 'IQ4_NL',
  IQ2_XXS: 'IQ4_NL',
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  TQ1_0: 'Q4_0',
  TQ2_0: 'Q4_0',
  Q2_0: 'Q4_0',
  Q1_0: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

/**
 * `type`, or what llama-quantize stores instead when its blocks do not divide a row of `columns`
 * weights: the next type of 32-weight blocks, else F16.
 */
export function typeThatFits(type: EncodableType, columns: number): EncodableType {
  const fits = (candidate: EncodableType) => columns % blockTypes[candidate].weights === 0;
  if (fits(type)) return type;
  const smaller = narrower[type] ?? type;
  return fits(smaller) ? smaller : 'F16';
}
