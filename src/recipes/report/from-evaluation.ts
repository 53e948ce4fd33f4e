import type { Figure } from '../../evaluate/figure.ts';
import type { Candidate, Measured, ReportData } from '../../evaluate/report/report-data.ts';
import type { Likelihood } from '../../evaluate/summary.ts';
import type { EvaluateReport } from '../evaluate/evaluate.ts';

type Quality = Pick<
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
export function likelihoodOf({ perplexity, bitsPerByte }: Likelihood): Partial<Measured> {
  return { perplexity, bitsPerByte };
}

/** What a candidate lost as a report holds it. */
export function lossOf(report: EvaluateReport): Quality {
  const { perplexityRatio, klDivergence, klHistogram, topTokenAgreement, disagreement } = report;
  return {
    ...likelihoodOf(report),
    ...(perplexityRatio && { perplexityRatio: figureOf(perplexityRatio) }),
    ...(klDivergence && { klDivergence }),
    ...(klHistogram && {
      klHistogram: {
        ...klHistogram,
        edges: [...klHistogram.edges],
        counts: [...klHistogram.counts],
      },
    }),
    ...(topTokenAgreement && { topTokenAgreement }),
    ...(disagreement && {
      disagreement: {
        logProb: disagreement.logProb,
        ...(disagreement.klDivergence && {
          klDivergence: figureOf(disagreement.klDivergence),
        }),
      },
    }),
  };
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

/** Without the verdict, which follows from the interval. */
function figureOf({ value, low, high }: Figure): Figure {
  return { value, low, high };
}
