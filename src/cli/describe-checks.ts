import type { VerifyReport } from '../recipes/verify/verify.ts';
import { formatTable } from './terminal/table.ts';

/** One line a check: what was found. */
export function describeChecks({ ok, checks }: VerifyReport): string {
  const rows = checks.map((check) => {
    const { name, detail, hint } = check;
    return [`  ${mark(check)}`, name, [detail, hint].filter(Boolean).join(' ')];
  });
  const columns = [{ heading: '' }, { heading: '' }, { heading: '' }];
  return `${ok ? 'verified' : 'NOT VERIFIED'}\n${formatTable(columns, rows)}`;
}

function mark({ ok, skipped }: VerifyReport['checks'][number]): string {
  if (skipped) return 'skipped';
  return ok ? 'ok' : 'FAILED';
}
