import type { Candidate, Measured, ReportData } from '../../evaluate/report/report-data.ts';
import type { Likelihood } from '../../evaluate/summary.ts';
import type { EvaluateReport } from '../evaluate/evaluate.ts';
import { bounded, isBounded } from './bounded.ts';

type Loss = Pick<
  Candidate,
  | 'perplexity'
  | 'bitsPerByte'
  | 'perplexityRatio'
  | 'klDivergence'
  | 'klHistogram'
  | 'topTokenAgreement'
  | 'disagreement'
>;

/** Perplexity and bits per byte as a report holds them. */
export function likelihoodOf({
  perplexity,
  bitsPerByte,
}: Likelihood): Pick<Measured, 'perplexity' | 'bitsPerByte'> {
  return { ...bounded({ perplexity, bitsPerByte }) };
}

/** What a candidate lost as a report holds it: figures whose intervals have both ends. */
export function lossOf(report: EvaluateReport): Loss {
  const {
    perplexityRatio,
    klDivergence: kl,
    klHistogram,
    topTokenAgreement,
    disagreement,
  } = report;
  const { mean, ...quantiles } = bounded({ ...kl, max: undefined });
  const { logProb, klDivergence } = bounded({ ...disagreement, perplexityRatio: undefined });
  return {
    ...likelihoodOf(report),
    ...bounded({ perplexityRatio, topTokenAgreement }),
    ...(kl && mean && { klDivergence: { ...quantiles, mean, max: kl.max } }),
    ...(klHistogram && {
      klHistogram: {
        ...klHistogram,
        edges: [...klHistogram.edges],
        counts: [...klHistogram.counts],
      },
    }),
    ...(logProb && { disagreement: { logProb, ...(klDivergence && { klDivergence }) } }),
  };
}

/** Says which figures `lossOf` leaves out. */
export function unboundedNotes(report: EvaluateReport): string[] {
  const { klDivergence: kl, perplexity, perplexityRatio, topTokenAgreement } = report;
  const figures = {
    perplexity,
    'perplexity ratio': perplexityRatio,
    'mean KL divergence': kl?.mean,
    'median KL divergence': kl?.median,
    '99th percentile of the KL divergence': kl?.p99,
    '99.9th percentile of the KL divergence': kl?.p999,
    'top-token agreement': topTokenAgreement,
  };
  const open = Object.entries(figures).filter(([, figure]) => figure && !isBounded(figure));
  if (open.length === 0) return [];
  const names = open.map(([name]) => name).join(', ');
  return [`Too few tokens for an interval of ${names}: left out.`];
}

/** How the figures of a report were measured. */
export function qualityOf(report: EvaluateReport): NonNullable<ReportData['quality']> {
  const { engine, device, context, tokens, documents, interval } = report;
  return {
    engine: engine === 'llama' ? 'llama.cpp' : 'ONNX Runtime',
    device,
    windowTokens: context,
    scoredTokens: tokens,
    documents,
    interval: { ...interval },
  };
}
