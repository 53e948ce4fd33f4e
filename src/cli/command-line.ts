import process from 'node:process';

/** The command line as a shell would take it again, as far as a report holds it. */
export function commandLine(): string {
  const words = process.argv.slice(2).map((word) => {
    return /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  });
  return ['pith', ...words].join(' ').slice(0, 2000);
}
