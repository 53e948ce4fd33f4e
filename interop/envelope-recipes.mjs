/**
 * The ways in which llama-quantize is asked to make one model smaller, for shrink-envelope.mjs.
 *
 * `presets`: every file type but the ternary and one-bit ones made for weights trained for them.
 * `uniform`: every type for the matrices of all layers with every type for the embedding (and for the
 * output, where it is a matrix of its own). `mixed`: the presets with every type for the embedding.
 * A recipe: { name, type, options }.
 */
const presets =
  `Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS Q3_K_L Q3_K_M Q3_K_S
  IQ3_M IQ3_S IQ3_XS IQ3_XXS Q2_K Q2_K_S IQ2_M IQ2_S IQ2_XS IQ2_XXS IQ1_M IQ1_S`.split(/\s+/);

/** Bits a weight of a type, and the preset whose `--pure` is that type; the likeliest winners first. */
const types = {
  Q4_K: { bits: 4.5, preset: 'Q4_K_S' },
  IQ4_XS: { bits: 4.25, preset: 'IQ4_XS' },
  Q3_K: { bits: 3.4375, preset: 'Q3_K_S' },
  IQ3_S: { bits: 3.4375, preset: 'IQ3_S' },
  IQ3_XXS: { bits: 3.0625, preset: 'IQ3_XXS' },
  IQ2_S: { bits: 2.5625, preset: 'IQ2_M' },
  Q2_K: { bits: 2.625, preset: 'Q2_K_S' },
  IQ2_XS: { bits: 2.3125, preset: 'IQ2_XS' },
  IQ2_XXS: { bits: 2.0625, preset: 'IQ2_XXS' },
  Q5_K: { bits: 5.5, preset: 'Q5_K_S' },
  Q6_K: { bits: 6.5625, preset: 'Q6_K' },
  IQ4_NL: { bits: 4.5, preset: 'IQ4_NL' },
  Q8_0: { bits: 8.5, preset: 'Q8_0' },
  Q5_0: { bits: 5.5, preset: 'Q5_0' },
  Q4_0: { bits: 4.5, preset: 'Q4_0' },
  Q5_1: { bits: 6, preset: 'Q5_1' },
  Q4_1: { bits: 5, preset: 'Q4_1' },
};
const embeddingTypes = ['Q5_K', 'Q4_K', 'Q6_K', 'IQ4_XS', 'IQ3_S', 'Q3_K', 'Q8_0', 'Q2_K'];

/**
 * The types of an embedding that layers of so many bits are tried with: none smaller than the layers',
 * none more than 3.6 bits larger. What is left out pays in the wrong place and lies above the envelope.
 */
const embeddingsFor = (bits) =>
  embeddingTypes.filter((type) => types[type].bits >= bits && types[type].bits <= bits + 3.6);

/** An embedding that is only looked up, with an output matrix of type `output` beside it. */
function lookedUp(layers, output) {
  const smallest = types[layers].bits < types.Q2_K.bits ? 'Q2_K' : layers;
  return [...new Set([smallest, output])];
}

const override = (embedding, output) =>
  `--token-embedding-type ${embedding} --output-tensor-type ${output}`.split(' ');

function uniform(tied) {
  return embeddingTypes.flatMap((output) =>
    Object.keys(types)
      .filter((layers) => embeddingsFor(types[layers].bits).includes(output))
      .flatMap((layers) =>
        (tied ? [output] : lookedUp(layers, output)).map((embedding) => ({
          name: `${layers} pure, ${tied ? '' : `output ${output}, `}embedding ${embedding}`,
          type: types[layers].preset,
          options: ['--pure', ...override(embedding, output)],
        })),
      ),
  );
}

function mixed(tied) {
  return presets.flatMap((preset) =>
    embeddingsFor(Number(/\d/.exec(preset)[0])).map((type) => ({
      name: `${preset}, ${tied ? 'embedding' : 'output'} ${type}`,
      type: preset,
      options: tied ? override(type, type) : ['--output-tensor-type', type],
    })),
  );
}

/** The recipes of the groups named, for a model whose output is its embedding (`tied`) or not. */
export function recipes(groups, tied) {
  const all = {
    presets: () => presets.map((type) => ({ name: type, type, options: [] })),
    uniform: () => uniform(tied),
    mixed: () => mixed(tied),
  };
  return groups.flatMap((group) => all[group]());
}
