/** The lower envelope of KL divergence over bytes, and what a file changes against it. */

/**
 * The files that no smaller or equal file beats, by bytes. A file: { name, bytes, bits (a weight), kl and
 * same ({ value, error }), runningKl (mean up to each chunk) }.
 */
export function envelopeOf(files) {
  const sorted = [...files].sort((a, b) => a.bytes - b.bytes || a.kl.value - b.kl.value);
  let least = Infinity;
  return sorted.filter(({ kl }) => {
    if (kl.value >= least) return false;
    least = kl.value;
    return true;
  });
}

/** The best file of at most so many bytes, if there is one. */
export function envelopeAt(envelope, bytes) {
  return envelope.findLast((file) => file.bytes <= bytes);
}

/** The mean of each chunk, from the means up to each chunk. */
const chunkMeans = (running) =>
  running.map((mean, at) => mean * (at + 1) - (at === 0 ? 0 : running[at - 1] * at));

/**
 * KL of `file` over KL of `base`, minus 1: both on the same chunks, with the standard error of the ratio
 * over chunks (delta method).
 */
export function changeOf(file, base) {
  const [a, b] = [file, base].map(({ runningKl }) => chunkMeans(runningKl));
  if (a.length !== b.length) throw new Error(`${file.name} and ${base.name} have other chunks`);
  const ratio = file.kl.value / base.kl.value;
  const squares = a.map((kl, at) => (kl - ratio * b[at]) ** 2).reduce((sum, x) => sum + x, 0);
  const error = Math.sqrt(squares / (a.length * (a.length - 1))) / base.kl.value;
  return { value: ratio - 1, error };
}

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const shownKl = ({ kl }) => `${kl.value.toFixed(5)} ± ${kl.error.toFixed(5)}`;
const percent = (value) => `${(100 * value).toFixed(1)} %`;

const sizeCells = ({ name, bytes, bits }) => [name, bytes, bits.toFixed(2)];

export function envelopeTable(envelope) {
  const head = ['llama-quantize', 'bytes', 'bits a weight', 'KL, nats a token', 'same top token'];
  const rows = envelope.map((file) => {
    const same = `${file.same.value.toFixed(1)} %`;
    return [...sizeCells(file), shownKl(file), same];
  });
  return table(head, rows);
}

/** What the best file of llama.cpp at no more bytes has, and the change against it. */
function bestCells(best, change) {
  if (!best) return ['none so small', '', '', ''];
  const shownChange = `${percent(change.value)} ± ${percent(change.error)}`;
  return [best.name, best.bytes, shownKl(best), shownChange];
}

/** `compared`: { candidate, best, change } of each candidate; no `best` where no file is so small. */
export function candidateTable(compared) {
  const head = ['candidate', 'bytes', 'bits a weight', 'KL, nats a token'];
  const theirs = ['llama.cpp at no more bytes', 'bytes', 'KL', 'change'];
  const rows = compared.map(({ candidate, best, change }) => [
    ...sizeCells(candidate),
    shownKl(candidate),
    ...bestCells(best, change),
  ]);
  return table([...head, ...theirs], rows);
}
