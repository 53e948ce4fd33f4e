import { PithError } from '../../util/errors.ts';
import { askProbe } from '../probe-process.ts';
import type { OnnxProvider } from './provider-names.ts';
import type { ProviderTrial } from './provider-trial.ts';

/** A provider and how its trial went. */
export interface TriedProvider {
  readonly provider: OnnxProvider;
  readonly outcome: ProviderTrial | { readonly problem: string };
}

/** The provider to use, and those that are not used, with the reason. */
export interface ChosenProvider {
  readonly provider: OnnxProvider;
  readonly passedOver: readonly { readonly provider: OnnxProvider; readonly reason: string }[];
}

/** 32-bit floats err by 2e-6 in the trial, TF32 and half floats by 1e-3: measurements would show that. */
const exactEnough = 1e-5;
/** How much quicker than the CPU a provider must be to be worth it. */
const worthwhile = 1.5;

/**
 * Tries providers with one matrix product each, in processes of their own: a driver that crashes or
 * hangs takes only that process with it.
 */
export function tryProviders(
  providers: readonly OnnxProvider[],
  threads: number,
): Promise<TriedProvider[]> {
  return Promise.all(
    providers.map(async (provider) => {
      const outcome = await askProbe({ engine: 'onnxruntime', provider, threads });
      return { provider, outcome };
    }),
  );
}

/** The quickest provider that computes in full 32-bit floats; the CPU unless another is 1.5 times as quick. */
export function quickest(tried: readonly TriedProvider[]): ChosenProvider {
  const cpu = tried.find(({ provider }) => provider === 'cpu');
  const limit =
    cpu && 'milliseconds' in cpu.outcome ? cpu.outcome.milliseconds / worthwhile : Infinity;
  let best: { provider: OnnxProvider; milliseconds: number } = {
    provider: 'cpu',
    milliseconds: limit,
  };
  const passedOver: { provider: OnnxProvider; reason: string }[] = [];
  for (const { provider, outcome } of tried) {
    if (provider === 'cpu') continue;
    const reason = reasonAgainst(outcome, best.milliseconds);
    if (reason !== undefined) passedOver.push({ provider, reason });
    else {
      if (best.provider !== 'cpu')
        passedOver.push({ provider: best.provider, reason: `${provider} is quicker` });
      best = { provider, milliseconds: (outcome as ProviderTrial).milliseconds };
    }
  }
  return { provider: best.provider, passedOver };
}

function reasonAgainst(outcome: TriedProvider['outcome'], limit: number): string | undefined {
  if ('problem' in outcome) return outcome.problem;
  const { relativeError, milliseconds } = outcome;
  if (relativeError > exactEnough)
    return `it rounds: relative error ${relativeError.toExponential(1)} of a matrix product`;
  if (milliseconds < limit) return undefined;
  return `not worth it: ${milliseconds.toFixed(1)} ms for a product, others ${limit.toFixed(1)} ms`;
}

/**
 * The first of the wanted providers that loads here; its rounding is the caller's decision.
 *
 * @throws PithError `engine` when none does, with the reason of each.
 */
export function firstThatLoads(tried: readonly TriedProvider[]): ChosenProvider {
  const passedOver: { provider: OnnxProvider; reason: string }[] = [];
  for (const { provider, outcome } of tried) {
    if (!('problem' in outcome)) return { provider, passedOver };
    passedOver.push({ provider, reason: outcome.problem });
  }
  const reasons = passedOver.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  const hint = 'Leave the choice to Pith, or see what loads: pith doctor';
  throw new PithError('engine', `None of these providers works here. ${reasons}`, hint);
}
