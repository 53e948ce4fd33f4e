import process from 'node:process';
import { shellWord } from '../util/shell-word.ts';

/** The command line as a shell would take it again, as far as a report holds it. */
export function commandLine(): string {
  const words = process.argv.slice(2).map(shellWord);
  return ['pith', ...words].join(' ').slice(0, 2000);
}
