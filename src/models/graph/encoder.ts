import type { Graph } from '../../graph/graph.ts';
import type { Value } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import { hyperParameter } from '../hyper-parameters.ts';
import { architectureOf } from './architectures.ts';
import { SharedTables } from './attention.ts';
import { block } from './block.ts';
import { blockCount, blockPlan, normEpsilon } from './decoder-plan.ts';
import { addPositions, embedTokens, type GraphSizes } from './embedding.ts';
import { ModelScope, type ModelOutline } from './model-scope.ts';
import { normalize } from './norm.ts';

/** How the hidden states of a text become one vector: their mean, or that of the first token. */
export type Pooling = 'mean' | 'first';

/** GGUF's numbers for them; 0 says that the model states none. */
const poolingTypes: Readonly<Record<number, Pooling>> = { 0: 'mean', 1: 'mean', 2: 'first' };

/** What an encoder's graph gives besides the last hidden states. */
export interface EncoderOutputs {
  /** Default: what the model states, else the mean. */
  readonly pooling?: Pooling;
  readonly taps?: readonly string[];
}

/**
 * The forward pass of an encoder. Inputs: `tokens`, `attention_mask` (1, or 0 where a text is padded)
 * and, in models that have them, `token_types`, all i64 `[B,T]`; and one for each weight under its GGUF
 * name. Outputs: `hidden` `[B,T,C]`, and `embedding` `[B,C]`, pooled and of length 1.
 *
 * @throws PithError as `decoderGraph` does; `unsupported` for a pooling other than mean and first.
 * @remarks Hidden states and embeddings are within 1e-4 of transformers 4.57 in f32, each text alone:
 *   test/golden/forward.json. Where transformers pads, MobileBERT's last token sees the padding as its
 *   neighbour; here nothing does. llama.cpp approximates BERT's GELU by tanh, and takes all token types
 *   for 0.
 */
export function encoderGraph(model: ModelOutline, options: GraphSizes & EncoderOutputs): Graph {
  const scope = new ModelScope(model, options.taps);
  const { g } = scope;
  const architecture = architectureOf(model.architecture, 'encoder');
  const present = g.input('attention_mask', 'i64', [options.batch, options.length]);
  const embedded = embed(scope, options, present);
  const tables = new SharedTables(scope, options.length, present);
  const epsilon = normEpsilon(model, architecture);
  let hidden = normalize(scope.root, 'token_embd_norm', embedded, { architecture, epsilon });
  for (let index = 0; index < blockCount(model); index++) {
    const plan = blockPlan(model, architecture, index, options.length);
    hidden = block(scope.block(index, 'numbered'), hidden, { plan, tables });
  }
  g.output('hidden', hidden);
  const pooling = options.pooling ?? statedPooling(model);
  const pooled = pooling === 'mean' ? mean(scope, hidden, present) : first(scope, hidden);
  g.output('embedding', unitLength(scope, pooled));
  return scope.finish('');
}

function statedPooling(model: ModelOutline): Pooling {
  const type = hyperParameter(model, 'pooling_type') ?? 0;
  const pooling = poolingTypes[type];
  if (pooling) return pooling;
  throw new PithError(
    'unsupported',
    `The model makes a text's vector by GGUF's pooling type ${type}; Pith knows 1 (mean) and 2 (first token).`,
    'Run the model in llama.cpp.',
  );
}

function embed(scope: ModelScope, { batch, length }: GraphSizes, present: Value): Value {
  const { g, root } = scope;
  const rows = embedTokens(scope, { batch, length });
  const isWide = !root.has('token_embd_proj.weight');
  const wide = isWide ? rows : withNeighbours(scope, g.mul(rows, counts(scope, present)));
  const placed = addPositions(scope, wide);
  if (!root.has('token_types.weight')) return placed;
  const types = g.input('token_types', 'i64', [batch, length]);
  return g.add(placed, g.gather(root.weight('token_types.weight'), types));
}

/** Each token's narrow embedding between its neighbours', `[B,T,A]`, made wide: `[B,T,C]`. */
function withNeighbours({ g, root }: ModelScope, x: Value): Value {
  const length = x.shape[1]!;
  const padded = g.pad(x, 1, 1, 1);
  const next = g.slice(padded, 1, 2, length + 2);
  const previous = g.slice(padded, 1, 0, length);
  return root.linear('token_embd_proj', g.concat([next, x, previous], 2));
}

function mean(scope: ModelScope, hidden: Value, present: Value): Value {
  const { g } = scope;
  const counted = counts(scope, present);
  return g.div(g.sum(g.mul(hidden, counted), 1), g.sum(counted, 1));
}

/** The mask as factors, `[B,T,1]`. */
function counts({ g }: ModelScope, present: Value): Value {
  return g.reshape(g.cast(present, 'f32'), [...present.shape, 1]);
}

function first({ g }: ModelScope, hidden: Value): Value {
  return g.reshape(g.slice(hidden, 1, 0, 1), [hidden.shape[0]!, hidden.shape[2]!]);
}

function unitLength({ g }: ModelScope, x: Value): Value {
  return g.div(x, g.sqrt(g.sum(g.mul(x, x), -1, true)));
}
