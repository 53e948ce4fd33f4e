import { columnImportance, usesOf } from '../../../compress/allocate/uses.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { meanSquares } from '../../../compress/evidence/moments.ts';
import type { Imatrix, Importance } from '../../../compress/quantize/importance.ts';
import { resultNames } from '../folder.ts';

/** What llama-imatrix would measure on the same text, for the mixes of llama-quantize. */
export function plainImatrix(evidence: Evidence): Imatrix {
  const entries = [...evidence.tensors].map(([name, { inputs }]) => {
    const values = Float32Array.from(meanSquares(inputs));
    return [name, { experts: inputs.experts, values }] as const;
  });
  return imatrixOf(evidence, new Map(entries));
}

/** The same, and what is known of the embedding as a table of rows: what costs are predicted with. */
export function fullImatrix(evidence: Evidence, names: Iterable<string>): Imatrix {
  const entries = [...names].map((name) => {
    const uses = usesOf(name, evidence);
    return [name, { experts: uses[0]!.experts, values: columnImportance(uses) }] as const;
  });
  return imatrixOf(evidence, new Map(entries));
}

function imatrixOf(
  { source, tokens, windowTokens }: Evidence,
  entries: ReadonlyMap<string, Importance>,
): Imatrix {
  const chunks = tokens / windowTokens;
  return { source: resultNames.evidence, datasets: source.datasets, chunks, entries, notes: [] };
}
