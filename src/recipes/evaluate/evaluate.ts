import { clustersOf } from '../../evaluate/grouping.ts';
import { clusteredMean, mapFigure } from '../../evaluate/interval.ts';
import type { Figure } from '../../evaluate/figure.ts';
import { pairedDifference, type PairedDifference } from '../../evaluate/paired.ts';
import {
  describeGrouping,
  groupDocuments,
  summarizeComparison,
  summarizeLikelihood,
  type Comparison,
  type IntervalUnit,
  type Likelihood,
} from '../../evaluate/summary.ts';
import type { TokenScores } from '../../evaluate/token-scores.ts';
import { enginesOf, type EngineName } from './engines.ts';
import { keptScores, orStopped } from '../interrupted.ts';
import { measure, topOf, type Measured, type MeasurementPlan } from './measurement.ts';
import { planEvaluation } from './plan.ts';
import type { EvaluateOptions, EvaluateRequest } from './request.ts';
import { inSession, type SessionOptions } from './in-session.ts';

/** The figures of one engine; those of a comparison only with a base. */
export interface Measurement extends Likelihood, Partial<Comparison> {
  readonly engine: EngineName;
  /** What computed: `cpu`, `cuda` ... */
  readonly device: string;
}

/** Two engines on the same tokens of the same model. */
export interface Disagreement {
  /** Perplexity of llama.cpp / of ONNX Runtime, paired; distinguishable from 1. */
  readonly perplexityRatio: PairedDifference;
  /** Mean |Δ ln p| of the tokens that stand there. */
  readonly logProb: Figure;
  /** Mean KL of llama.cpp − of ONNX Runtime, each against the base in its own engine, paired. */
  readonly klDivergence?: PairedDifference;
}

/** What was measured. With both engines, llama.cpp's figures stand at the top: it runs the file itself. */
export interface EvaluateReport extends Measurement {
  readonly model: string;
  readonly against?: string;
  readonly data: readonly string[];
  readonly tokens: number;
  readonly documents: number;
  readonly context: number;
  readonly stride: number;
  readonly interval: IntervalUnit;
  readonly engines?: readonly Measurement[];
  readonly disagreement?: Disagreement;
  readonly seconds: number;
  readonly notes: readonly string[];
}

/**
 * Measures how well a model predicts text and, against a base, what it lost, with 95 % intervals.
 *
 * Scores are kept as they come: an interrupted evaluation continues when the same one is asked for
 * again, and ends with the same figures. The base's scores stay for the next candidate.
 *
 * @throws PithError what opening models and reading texts throws; `conflict` for a base with another
 *   tokenizer; `unsupported` for text shorter than a window; `not-finite`; `cancelled`.
 */
export function evaluate(
  request: EvaluateRequest,
  options: EvaluateOptions = {},
): Promise<EvaluateReport> {
  return inSession(options, (given) => evaluateTexts(request, given));
}

async function evaluateTexts(
  request: EvaluateRequest,
  options: SessionOptions,
): Promise<EvaluateReport> {
  const started = performance.now();
  const prepared = await planEvaluation(request, options);
  const { plan, context, stride } = prepared;
  const measured: Measured[] = [];
  for (const engine of enginesOf(request.engine)) {
    measured.push(await orStopped(options.signal, keptScores, () => measure(plan, engine)));
  }
  const { text } = plan;
  const measurements = measured.map((one) => summarize(one, plan));
  const notes = [...prepared.notes, ...measured.flatMap((one) => one.notes)];
  return {
    ...measurements.at(-1)!,
    model: request.model,
    ...(request.against !== undefined && { against: request.against }),
    data: request.data,
    tokens: text.tokens,
    documents: text.documents.length,
    context,
    stride,
    interval: describeGrouping(groupDocuments(text.documents)),
    ...(measured.length > 1 && {
      engines: measurements,
      disagreement: disagreement(measured, plan),
    }),
    seconds: (performance.now() - started) / 1000,
    notes,
  };
}

function summarize({ engine, device, scores }: Measured, plan: MeasurementPlan): Measurement {
  const { documents } = plan.text;
  const { against } = scores;
  return {
    engine,
    device,
    ...summarizeLikelihood(scores.logProbs, documents),
    ...(against && summarizeComparison({ ...scores, against }, documents, topOf(plan))),
  };
}

function disagreement(measured: readonly Measured[], { text }: MeasurementPlan): Disagreement {
  const grouping = groupDocuments(text.documents);
  const [onnx, llama] = measured.map(({ scores }) => scores) as [TokenScores, TokenScores];
  const losses = ({ logProbs }: TokenScores) =>
    clustersOf(
      grouping,
      logProbs.map((value) => -value),
    );
  const ratio = pairedDifference(losses(llama), losses(onnx));
  const distances = llama.logProbs.map((value, at) => Math.abs(value - onnx.logProbs[at]!));
  const kl = [llama, onnx].map(({ against }) => against && clustersOf(grouping, against.kl));
  return {
    perplexityRatio: { ...ratio, ...mapFigure(ratio, Math.exp) },
    logProb: clusteredMean(clustersOf(grouping, distances)),
    ...(kl[0] && kl[1] && { klDivergence: pairedDifference(kl[0], kl[1]) }),
  };
}
