import { describe, expect, test } from 'vitest';
import {
  golden,
  goldenModel,
  ids,
  maxDelta,
  runReference,
  weightsFor,
  wholeLogits,
} from '../../models/graph/golden.cases.ts';
import { encoderGraph } from '../../models/graph/encoder.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import type { Model } from '../../models/model.ts';
import { PithError } from '../../util/errors.ts';
import { seededRandom } from '../../util/random.ts';
import { foldModel } from './fold.ts';
import { foldGroups, scaleOfColumn } from './groups.ts';
import type { FoldGroup } from './groups.ts';

/** Scales from 1/4 to 4 for some groups. */
function randomScales(groups: readonly FoldGroup[]): Map<string, Float64Array> {
  const random = seededRandom(7);
  return new Map(
    groups.map(({ name, sets, size }) => [
      name,
      Float64Array.from({ length: sets * size }, () => 4 ** (2 * random.uniform() - 1)),
    ]),
  );
}

function foldedRandomly(model: Model, keep: (group: FoldGroup) => boolean = () => true): Model {
  return foldModel(model, randomScales(foldGroups(model).filter(keep)));
}

async function hiddenStates(model: Model, withTypes: boolean): Promise<number[]> {
  const { pair } = golden;
  const graph = encoderGraph(model, { batch: 2, length: 8 });
  const { hidden } = await runReference(graph, {
    ...(await weightsFor(model, graph)),
    tokens: ids(pair.tokens.flat()),
    attention_mask: ids(pair.mask.flat()),
    ...(withTypes && { token_types: ids(pair.types.flat()) }),
  });
  return pair.rows.flatMap(([text, position]) => {
    const start = 32 * (8 * text + position);
    return Array.from(hidden!.slice(start, start + 32), Number);
  });
}

/** Rope changes no group: one of each family, and those whose tensors differ. */
const structures = golden.decoders.filter(({ label }) => !/rope|yarn|window/.test(label));

describe('a folded model computes the same', () => {
  test.each(structures)(
    'logits are within 1e-4 of transformers in f32, all groups scaled by 1/4 to 4: $label',
    async (description) => {
      const folded = foldedRandomly(goldenModel(description));
      expect(maxDelta(await wholeLogits(folded), description.logits)).toBeLessThan(1e-4);
    },
  );

  test.each(golden.encoders)('hidden states are, too: $label', async (description) => {
    const folded = foldedRandomly(goldenModel(description));
    const withTypes = description.config.model_type !== 'distilbert';
    expect(maxDelta(await hiddenStates(folded, withTypes), description.hidden)).toBeLessThan(1e-4);
  });

  test('every tensor of a group matters: without one of them logits of a mixture of experts move', async () => {
    const description = golden.decoders.find(({ label }) => label.startsWith('qwen2_moe'))!;
    const model = goldenModel(description);
    const folded = foldedRandomly(model, ({ name }) => name.startsWith('blk.1.ffn'));
    const changed = [...folded.tensors].filter(([name, one]) => one !== model.tensors.get(name));
    expect(changed).toHaveLength(9);
    const unmoved: string[] = [];
    for (const [name] of changed) {
      const tensors = new Map([...folded.tensors, [name, model.tensors.get(name)!]]);
      const delta = maxDelta(await wholeLogits({ ...folded, tensors }), description.logits);
      if (delta < 1e-3) unmoved.push(name);
    }
    expect(unmoved).toEqual([]);
  });
});

describe('the groups of a family', () => {
  const attention = 'attn_norm → attn_q attn_k attn_v';
  const values = 'attn_v → attn_output';
  const gated = [attention, 'ffn_norm → ffn_gate ffn_up', values, 'ffn_up → ffn_down'];
  const head = 'output_norm → output';
  const listed: Readonly<Record<string, readonly string[]>> = {
    'llama, tied': gated,
    mistral: [...gated, head],
    gemma2: gated,
    gpt2: ['attn_norm → attn_qkv', 'ffn_norm → ffn_up', values],
    phi: [`${attention} ffn_up`, values, head],
    phi3: ['attn_norm → attn_qkv', 'ffn_norm → ffn_up', values, 'ffn_up → ffn_down', head],
    'stablelm, parallel, norms of heads': [
      `${attention} ffn_gate ffn_up`,
      values,
      'ffn_up → ffn_down',
      head,
    ],
    mixtral: [
      attention,
      'ffn_norm → ffn_gate_inp ffn_gate_exps ffn_up_exps',
      values,
      'ffn_up_exps → ffn_down_exps',
      head,
    ],
    qwen2_moe: [
      attention,
      'ffn_norm → ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp',
      values,
      'ffn_up_exps → ffn_down_exps',
      'ffn_up_shexp → ffn_down_shexp',
      head,
    ],
    bert: [values],
    mobilebert: [
      'bottleneck_attn_norm → attn_q attn_k',
      'ffn_norm → bottleneck_out',
      values,
      'ffn_up_0 → ffn_down_0',
      'ffn_up_1 → ffn_down_1',
      'ffn_up → ffn_down',
    ],
  };

  test.each(Object.entries(listed))('are as listed: %s', (label, expected) => {
    const all = [...golden.decoders, ...golden.encoders];
    const groups = foldGroups(goldenModel(all.find((one) => one.label === label)!));
    const found = groups
      .filter(({ name }) => /^blk\.0\.|^output/.test(name))
      .map(({ name, multiplied }) => `${name} → ${multiplied.join(' ')}`);
    expect(found.map((line) => line.replaceAll(/blk\.0\.|\.weight/g, ''))).toEqual(expected);
  });

  test('query heads that share a head of values share its scales: 6 heads of 2 columns, 2 of values', () => {
    const heads = { width: 2, shared: 3 };
    const group = { name: '', divided: [], multiplied: [], sets: 1, size: 4, heads };
    const columns = Array.from({ length: 12 }, (_, column) => scaleOfColumn(group, column));
    expect(columns).toEqual([0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]);
  });
});

describe('what cannot be folded', () => {
  const model = goldenModel(golden.decoders[0]!);
  const [{ name, size }] = foldGroups(model) as [FoldGroup];

  test.each([
    [
      'a group that the model has not',
      'blk.9.attn_norm',
      new Float64Array(size).fill(1),
      'not-found',
    ],
    ['too few scales', name, new Float64Array(size - 1).fill(1), 'shape'],
    ['a scale of 0', name, new Float64Array(size), 'not-finite'],
    ['a scale that is no number', name, new Float64Array(size).fill(NaN), 'not-finite'],
  ])('%s is refused', (_, group, scales, code) => {
    const fold = () => foldModel(model, new Map([[group, scales]]));
    expect(fold).toThrow(PithError);
    expect(fold).toThrow(expect.objectContaining({ code }));
  });

  test('a tensor that the graph does not know could read the same activations: refused', () => {
    const more = new Map([
      ...model.tensors,
      ['blk.0.ffn_extra.weight', model.tensors.get(`${name}.weight`)!],
    ]);
    expect(() => foldGroups({ ...model, tensors: more })).toThrow('ffn_extra');
  });

  test('an architecture that Pith has no graph of is refused', () => {
    const other = fakeModel({ architecture: 'mamba', shapes: {} });
    expect(() => foldGroups(other)).toThrow('mamba');
  });

  test('without scales the model is the same object', () => {
    expect(foldModel(model, new Map())).toBe(model);
  });
});
