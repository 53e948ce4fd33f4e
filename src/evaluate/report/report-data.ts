import { z } from 'zod';
import { PithError } from '../../util/errors.ts';

const longestName = 300;
const mostCandidates = 8;
const mostTensors = 20_000;
const mostTokens = 2000;

const name = z.string().min(1).max(longestName);
const sentence = z.string().max(2000);
const count = z.int().nonnegative();
const positive = z.number().positive();
const notNegative = z.number().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const figure = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .refine(({ value, low, high }) => low <= value && value <= high, 'is outside its own interval');

const share = figure.refine(({ value }) => value >= 0 && value <= 1, 'is not a share from 0 to 1');

const tokens = z.array(z.string().max(longestName)).max(mostTokens);

const klHistogram = z
  .strictObject({
    /** Borders of the bins in nats per token, rising; bin i lies from edge i to edge i + 1. */
    edges: z.array(positive).min(2).max(201),
    /** Scored tokens in each bin. */
    counts: z.array(count),
    /** Tokens under the first border and over the last. */
    below: count,
    above: count,
  })
  .refine(({ edges, counts }) => counts.length === edges.length - 1, 'needs one count a bin')
  .refine(
    ({ edges }) => edges.every((edge, at) => at === 0 || edge > edges[at - 1]!),
    'has borders that do not rise',
  );

const speed = z.strictObject({
  /** How it was measured, in words: runs, threads, device. */
  method: sentence,
  /** Writing after prompts of several lengths, the shortest first. */
  decode: z
    .array(
      z.strictObject({
        contextTokens: count,
        tokensPerSecond: figure,
        /** Reading speed of memory divided by the bytes that a token reads. */
        ceilingTokensPerSecond: positive.optional(),
      }),
    )
    .min(1)
    .max(32),
  /** Reading prompts of several lengths. */
  prefill: z.array(z.strictObject({ tokens: count, tokensPerSecond: figure })).max(32),
  peakMemoryBytes: count,
});

const energy = z.strictObject({
  /** What was read or assumed, in words: `RAPL package`, `estimate: 15 W a core`. */
  method: sentence,
  joulesPerToken: figure,
  /** For a million tokens, with the factors used. */
  gramsCo2ePerMillionTokens: figure.optional(),
  gridGramsPerKwh: notNegative.optional(),
  costPerMillionTokens: figure.optional(),
  pricePerKwh: notNegative.optional(),
  /** For example EUR. */
  currency: z.string().min(1).max(40).optional(),
});

const task = z.strictObject({
  name,
  /** What the score is, by lm-evaluation-harness's names: `acc,none`. */
  metric: name,
  score: figure,
  /** The score of guessing. */
  chance: z.number().optional(),
  rows: count,
  /** Candidate minus original on the same rows. */
  difference: figure.optional(),
  /** (score − chance) / (original's score − chance). */
  retention: figure.optional(),
});

const bias = z.strictObject({
  /** The task, for example `crows_pairs`. */
  name,
  pairs: count,
  /** Share of pairs whose stereotype is the likelier sentence; 0.5 is even. */
  stereotypeShare: share,
  /** Candidate minus original on the same pairs, as a share. */
  difference: figure.optional(),
});

const weightErrors = z.strictObject({
  /** sqrt(Σ (x − x̂)² / Σ x²) over the tensors that lost precision. */
  relativeError: notNegative,
  tensors: z
    .array(z.strictObject({ name, type: name, relativeError: notNegative }))
    .max(mostTensors),
});

const measured = {
  /** What to call it: `original`, `Q4_K_M`. */
  label: name,
  file: name,
  sha256: sha256.optional(),
  bytes: count.positive(),
  bitsPerWeight: positive,
  perplexity: figure.optional(),
  bitsPerByte: figure.optional(),
  tasks: z.array(task).max(200).optional(),
  bias: bias.optional(),
  speed: speed.optional(),
  energy: energy.optional(),
  /** Tokens that continue the report's prompt. */
  continuation: tokens.optional(),
};

const candidate = z.strictObject({
  ...measured,
  /** Original ‖ candidate, nats per token. */
  klDivergence: z
    .strictObject({
      mean: figure,
      /** Quantiles; absent where too few tokens give their interval no end. */
      median: figure.optional(),
      p99: figure.optional(),
      p999: figure.optional(),
      /** Of all scored tokens, without an interval. */
      max: notNegative,
    })
    .optional(),
  klHistogram: klHistogram.optional(),
  /** Share of tokens where both models find the same token likeliest. */
  topTokenAgreement: share.optional(),
  /** Candidate / original, paired. */
  perplexityRatio: figure.optional(),
  /** The file in llama.cpp beside its dequantized weights on ONNX Runtime, on the same tokens. */
  disagreement: z
    .strictObject({
      /** Mean |Δ ln p| of the tokens that stand there. */
      logProb: figure,
      /** Mean KL divergence by llama.cpp minus that by ONNX Runtime, paired. */
      klDivergence: figure.optional(),
    })
    .optional(),
  weights: weightErrors.optional(),
});

const provenance = z.strictObject({
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  command: sentence.optional(),
  seed: z.int(),
  machine: z.strictObject({
    os: name,
    arch: name,
    cpu: name,
    cores: count.positive(),
    memoryBytes: count,
  }),
  /** Of Pith and of every engine that took part: name -> version. */
  versions: z.record(name, name),
});

/** Everything a proof card shows; `report.json` holds exactly this. */
export const reportData = z
  .strictObject({
    format: z.literal('pith-report/1'),
    model: name,
    made: provenance,
    /** How the quality figures were measured; absent when none was. */
    quality: z
      .strictObject({
        engine: name,
        device: name,
        windowTokens: count,
        scoredTokens: count,
        documents: count,
        /** What the intervals are made over: documents, or blocks of a text too short. */
        interval: z.strictObject({ unit: name, count, effective: notNegative }),
      })
      .optional(),
    data: z.array(
      z.strictObject({
        name,
        /** Default a text. */
        kind: z.enum(['text', 'task']).optional(),
        sha256: sha256.optional(),
        licence: sentence.optional(),
      }),
    ),
    base: z.strictObject(measured),
    candidates: z.array(candidate).min(1).max(mostCandidates),
    /** The best that types can do at each size, as predicted; the smallest first. */
    frontier: z
      .array(z.strictObject({ bytes: count.positive(), klDivergence: notNegative }))
      .max(1000)
      .optional(),
    continuation: z
      .strictObject({ prompt: z.string().max(20_000), temperature: notNegative, seed: z.int() })
      .optional(),
    notes: z.array(sentence).max(100),
  })
  .refine(
    ({ base, candidates }) =>
      new Set([base, ...candidates].map(({ label }) => label)).size === candidates.length + 1,
    'has two versions with one label',
  );

export type ReportData = Readonly<z.infer<typeof reportData>>;
export type Candidate = ReportData['candidates'][number];
export type Measured = ReportData['base'];

/**
 * Checks that `value` (parsed JSON) is the data of a report.
 *
 * @throws {@link PithError} `corrupt` naming the first field that is wrong and why.
 */
export function parseReportData(value: unknown, source: string): ReportData {
  const { data, error } = reportData.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  const place = issue!.path.length > 0 ? `its field ${issue!.path.join('.')}` : 'it';
  throw new PithError(
    'corrupt',
    `${source} is not a report that this version of Pith reads: ${place}: ${issue!.message}.`,
    'Make it again with pith report MODEL --against BASE -o FOLDER.',
  );
}
