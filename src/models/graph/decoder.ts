import { softCap } from '../../graph/composites/activations.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Value } from '../../graph/value.ts';
import { requiredParameter } from '../hyper-parameters.ts';
import { architectureOf, type Architecture } from './architectures.ts';
import { SharedTables } from './attention.ts';
import { block } from './block.ts';
import { blockCount, blockPlan, normEpsilon, parameter } from './decoder-plan.ts';
import { addPositions, embedTokens, type GraphSizes } from './embedding.ts';
import { ModelScope, type ModelOutline } from './model-scope.ts';
import { normalize } from './norm.ts';

/** What a decoder's graph gives besides the last hidden states. */
export interface DecoderOutputs {
  /**
   * `all`: output `logits` `[B,T,V]`. A number n: `[n,V]`, for the rows of `[B·T,C]` at the indices in
   * the input `positions` (i64 `[n]`). None when left out.
   */
  readonly logits?: 'all' | number;
  /** Activations to give as well, by the names of {@link tapNames}. */
  readonly taps?: readonly string[];
}

/**
 * The forward pass of a whole decoder: input `tokens` (i64 `[B,T]`) and one input for each weight under
 * its GGUF name, with its GGUF shape; output `hidden` `[B,T,C]` after the last norm.
 *
 * @throws PithError `unsupported` for an architecture or a tensor that Pith does not know, `corrupt` for
 *   a key or tensor that is missing, `not-found` for an unknown tap.
 * @remarks Logits of every architecture are within 1e-4 of transformers 4.57 in f32:
 *   test/golden/forward.json.
 */
export function decoderGraph(model: ModelOutline, options: GraphSizes & DecoderOutputs): Graph {
  const scope = new ModelScope(model, options.taps);
  const architecture = architectureOf(model.architecture, 'decoder');
  const tables = new SharedTables(scope, options.length);
  let hidden = embed(scope, architecture, options);
  for (let index = 0; index < blockCount(model); index++) {
    const plan = blockPlan(model, architecture, index, options.length);
    hidden = block(scope.block(index, 'numbered'), hidden, { plan, tables });
  }
  head(scope, architecture, hidden, options.logits);
  return scope.finish('');
}

/** The first part of a decoder: input `tokens`, output `hidden` `[B,T,C]`, which enters block 0. */
export function embeddingGraph(model: ModelOutline, sizes: GraphSizes): Graph {
  const scope = new ModelScope(model);
  const architecture = architectureOf(model.architecture, 'decoder');
  scope.g.output('hidden', embed(scope, architecture, sizes));
  return scope.finish();
}

/**
 * One block of a decoder: input `input` and output `hidden`, both `[B,T,C]`. Weights are inputs without a layer's
 * number (`blk.attn_q.weight`, see {@link tensorOfInput}), so that blocks of the same kind
 * ({@link blockKinds}) have equal graphs and can share one program. Taps are named alike.
 */
export function blockGraph(
  model: ModelOutline,
  index: number,
  options: GraphSizes & Pick<DecoderOutputs, 'taps'>,
): Graph {
  const scope = new ModelScope(model, options.taps);
  const architecture = architectureOf(model.architecture, 'decoder');
  const hidden = blockInput(scope, options);
  const plan = blockPlan(model, architecture, index, options.length);
  const tables = new SharedTables(scope, options.length);
  scope.g.output('hidden', block(scope.block(index, 'anyBlock'), hidden, { plan, tables }));
  return scope.finish(`blk.${index}.`);
}

/** The last part of a decoder: input `input` `[B,T,C]` from the last block, outputs as {@link decoderGraph}'s. */
export function headGraph(model: ModelOutline, options: GraphSizes & DecoderOutputs): Graph {
  const scope = new ModelScope(model, options.taps);
  const architecture = architectureOf(model.architecture, 'decoder');
  head(scope, architecture, blockInput(scope, options), options.logits);
  return scope.finish();
}

/** The model's tensor behind an input of a graph of block `index`: `blk.attn_q.weight` → `blk.3.attn_q.weight`. */
export function tensorOfInput(input: string, index: number): string {
  return input.replace(/^blk\.(?!\d)/, `blk.${index}.`);
}

/** For each block the first one of its kind: those of one kind have equal graphs. */
export function blockKinds(model: ModelOutline): number[] {
  const architecture = architectureOf(model.architecture, 'decoder');
  const first = new Map<string, number>();
  return Array.from({ length: blockCount(model) }, (_, index) => {
    const prefix = `blk.${index}.`;
    const shapes = [...model.tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { shape }]) => `${name.slice(prefix.length)} ${shape.join()}`)
      .sort();
    const kind = JSON.stringify([blockPlan(model, architecture, index, 1), shapes]);
    if (!first.has(kind)) first.set(kind, index);
    return first.get(kind)!;
  });
}

/** Every activation that {@link decoderGraph} can give: inputs and outputs of its matrices, outputs of its blocks. */
export function tapNames(model: ModelOutline): readonly string[] {
  const scope = new ModelScope(model);
  const architecture = architectureOf(model.architecture, 'decoder');
  const tables = new SharedTables(scope, 1);
  let hidden = blockInput(scope, { batch: 1, length: 1 });
  for (let index = 0; index < blockCount(model); index++) {
    const plan = blockPlan(model, architecture, index, 1);
    hidden = block(scope.block(index, 'numbered'), hidden, { plan, tables });
  }
  head(scope, architecture, hidden, 'all');
  return scope.taps;
}

function blockInput(scope: ModelScope, { batch, length }: GraphSizes): Value {
  const width = requiredParameter(scope.model, 'embedding_length');
  return scope.g.input('input', 'f32', [batch, length, width]);
}

function embed(scope: ModelScope, architecture: Architecture, sizes: GraphSizes): Value {
  const { g } = scope;
  const plain = embedTokens(scope, sizes);
  const scaled = architecture.scaledEmbedding
    ? g.mul(plain, g.scalar(Math.sqrt(plain.shape[2]!)))
    : plain;
  return addPositions(scope, scaled);
}

function head(
  scope: ModelScope,
  architecture: Architecture,
  x: Value,
  logits: DecoderOutputs['logits'],
): void {
  const { g, root } = scope;
  const epsilon = normEpsilon(scope.model, architecture);
  const hidden = normalize(root, 'output_norm', x, { architecture, epsilon });
  g.output('hidden', hidden);
  if (logits === undefined) {
    for (const part of ['weight', 'bias']) scope.leaveOut(`output.${part}`);
    return;
  }
  const rows = logits === 'all' ? hidden : chosenRows(scope, hidden, logits);
  const output = root.has('output.weight') ? 'output' : 'token_embd';
  const scores = root.linear(output, rows);
  const cap = parameter(scope.model, architecture, 'final_logit_softcapping');
  g.output('logits', cap ? softCap(g, scores, cap) : scores);
}

function chosenRows({ g }: ModelScope, hidden: Value, count: number): Value {
  const positions = g.input('positions', 'i64', [count]);
  return g.gather(g.reshape(hidden, [-1, hidden.shape[2]!]), positions);
}
