import type { Measured } from '../../evaluate/report/report-data.ts';
import type { BenchReport } from '../bench/bench.ts';

/** Speed and energy as a report holds them. */
export function fromBench(report: BenchReport): Required<Pick<Measured, 'speed' | 'energy'>> {
  const { device, threads, repeats, millionTokens, factors } = report;
  const processor =
    device === 'cpu' ? `the CPU, ${threads} thread${threads === 1 ? '' : 's'}` : device;
  return {
    speed: {
      method: `llama.cpp on ${processor}; medians of ${repeats} runs`,
      decode: report.decode.map(({ contextTokens, tokensPerSecond, ceilingTokensPerSecond }) => ({
        contextTokens,
        tokensPerSecond,
        ...(ceilingTokensPerSecond !== undefined && { ceilingTokensPerSecond }),
      })),
      prefill: report.prefill.map(({ tokens, tokensPerSecond }) => ({ tokens, tokensPerSecond })),
      peakMemoryBytes: report.peakMemoryBytes,
    },
    energy: {
      method: report.energy.method,
      joulesPerToken: report.energy.joulesPerToken,
      gramsCo2ePerMillionTokens: millionTokens.decode.gramsCo2e,
      gridGramsPerKwh: factors.gramsCo2ePerKwh.value,
      costPerMillionTokens: millionTokens.decode.cost,
      pricePerKwh: factors.pricePerKwh.value,
      currency: factors.currency.value,
    },
  };
}
