import type { Evidence, TensorEvidence } from './evidence.ts';
import { priorTokens } from './moments.ts';

const namesShown = 3;

/** What evidence is thin for, a sentence each. */
export function coverageWarnings({
  tokens,
  tensors,
}: Pick<Evidence, 'tokens' | 'tensors'>): string[] {
  const all = [...tensors];
  const wide = all.filter(([, { inputs }]) => inputs.experts === 1 && inputs.size > tokens);
  const silent = all.filter(([, { inputs }]) => inputs.counts.every((count) => count === 0));
  return [
    ...(wide.length > 0
      ? [
          `${tokens} tokens are fewer than the input columns of ${listed(wide)}: give more text, or expect ` +
            'error feedback to fit noise.',
        ]
      : []),
    ...(silent.length > 0 ? [`No token came through ${listed(silent)}.`] : []),
    ...all.filter((one) => !silent.includes(one)).flatMap(starvedExperts),
    ...deadColumns(all.filter((one) => !silent.includes(one))),
  ];
}

type Named = readonly [string, TensorEvidence];

function listed(tensors: readonly Named[]): string {
  const names = tensors
    .slice(0, namesShown)
    .map(([name, { inputs }]) => `${name} (${inputs.size})`);
  const more = tensors.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function starvedExperts([name, { inputs }]: Named): string[] {
  if (inputs.experts === 1) return [];
  const starved = inputs.counts.filter((count) => count < priorTokens);
  if (starved.length === 0) return [];
  const none = starved.filter((count) => count === 0).length;
  return [
    `${name}: ${starved.length} of ${inputs.experts} experts saw fewer than ${priorTokens} tokens` +
      `${none > 0 ? `, ${none} of them none` : ''}; they are drawn to the mean of their layer.`,
  ];
}

function deadColumns(tensors: readonly Named[]): string[] {
  const dead = tensors.filter(([, { inputs }]) => inputs.experts === 1 && inputs.sums.includes(0));
  return dead.length > 0 ? [`Some input columns were always 0: ${listed(dead)}.`] : [];
}
