/** Fields of config.json's `rope_scaling`. */
interface RopeScaling {
  readonly rope_type?: string;
  readonly type?: string;
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
  readonly beta_fast?: number;
  readonly beta_slow?: number;
  readonly attention_factor?: number;
}

/** Angle a position of every rotary pair, and what sine and cosine are multiplied by. */
export interface Rotation {
  readonly frequencies: readonly number[];
  readonly magnitude: number;
}

const { PI, log, floor, ceil, max, min } = Math;

/**
 * The rotation of a model's heads, written after the papers and transformers' formulas, with nothing
 * from Pith.
 *
 * @see Su et al. 2021, arXiv:2104.09864; Chen et al. 2023, arXiv:2306.15595 (linear); Peng et al.
 *   2023, arXiv:2309.00071 (yarn); transformers 4.57 modeling_rope_utils.py (llama3).
 */
export function rotation(width: number, theta: number, scaling: RopeScaling | null): Rotation {
  const base = Array.from({ length: width / 2 }, (_, pair) => theta ** ((-2 * pair) / width));
  const kind = scaling?.rope_type ?? scaling?.type;
  if (!scaling || kind === undefined) return { frequencies: base, magnitude: 1 };
  const { factor } = scaling;
  if (kind === 'linear') return { frequencies: base.map((w) => w / factor), magnitude: 1 };
  if (kind === 'llama3') {
    return { frequencies: base.map((w) => llama3(w, scaling)), magnitude: 1 };
  }
  if (kind !== 'yarn') throw new Error(`the reference knows no rope scaling ${kind}`);
  const rotations = (count: number) =>
    (width * log(scaling.original_max_position_embeddings / (2 * PI * count))) / (2 * log(theta));
  const first = max(0, floor(rotations(scaling.beta_fast ?? 32)));
  const last = min(width - 1, ceil(rotations(scaling.beta_slow ?? 1)));
  return {
    frequencies: base.map((w, pair) => {
      const scaled = min(1, max(0, (pair - first) / (last - first)));
      return w * (1 - scaled) + (w / factor) * scaled;
    }),
    magnitude: scaling.attention_factor ?? 0.1 * log(factor) + 1,
  };
}

function llama3(frequency: number, scaling: RopeScaling): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const turns = (scaling.original_max_position_embeddings * frequency) / (2 * PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const kept = (turns - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
