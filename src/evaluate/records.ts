import type { BaseScores, ComparedScores, TokenScores } from './token-scores.ts';

/**
 * Scores of a window as bytes of a length that is known beforehand, so that a file of them can be
 * continued after any window. Little-endian, as every machine that runs Node is.
 */
export interface RecordFormat<T> {
  /** Bytes for a window of n scored tokens; a multiple of 4. */
  bytes(n: number): number;
  write(scores: T): Uint8Array;
  read(bytes: Uint8Array, n: number): T;
}

/**
 * The base's distributions: f32 log-probabilities of n tokens and of their n·top likeliest, then the
 * ids of these, in 16 bits where the vocabulary allows: 1.5 or 2 kB a token at 256.
 */
export function baseFormat(top: number, vocabulary: number): RecordFormat<BaseScores> {
  const Ids = vocabulary <= 2 ** 16 ? Uint16Array : Uint32Array;
  const idBytes = (n: number) => n * top * Ids.BYTES_PER_ELEMENT;
  const bytes = (n: number) => 4 * n * (1 + top) + Math.ceil(idBytes(n) / 4) * 4;
  return {
    bytes,
    write({ logProbs, top: { ids, logProbs: topLogProbs } }) {
      const n = logProbs.length;
      const buffer = new ArrayBuffer(bytes(n));
      const floats = new Float32Array(buffer, 0, n * (1 + top));
      floats.set(logProbs);
      floats.set(topLogProbs, n);
      new Ids(buffer, floats.byteLength, n * top).set(ids);
      return new Uint8Array(buffer);
    },
    read(from, n) {
      const buffer = aligned(from);
      const floats = new Float32Array(buffer, 0, n * (1 + top));
      const ids = Int32Array.from(new Ids(buffer, floats.byteLength, n * top));
      return { logProbs: floats.subarray(0, n), top: { ids, logProbs: floats.subarray(n) } };
    },
  };
}

const compared = [
  'baseLogProbs',
  'kl',
  'agrees',
  'tail',
  'gap',
] as const satisfies readonly (keyof ComparedScores)[];

/** A candidate's scores: 4 bytes a token, 24 beside a base. */
export function scoresFormat(hasBase: boolean): RecordFormat<TokenScores> {
  const columns = hasBase ? 1 + compared.length : 1;
  return {
    bytes: (n) => 4 * n * columns,
    write({ logProbs, against }) {
      const n = logProbs.length;
      const floats = new Float32Array(n * columns);
      floats.set(logProbs);
      if (against) compared.forEach((name, at) => floats.set(against[name], n * (at + 1)));
      return new Uint8Array(floats.buffer);
    },
    read(from, n) {
      const floats = new Float32Array(aligned(from));
      const column = (at: number) => floats.subarray(n * at, n * (at + 1));
      if (!hasBase) return { logProbs: column(0) };
      const [baseLogProbs, kl, agrees, tail, gap] = compared.map((_, at) => column(at + 1));
      return {
        logProbs: column(0),
        against: { baseLogProbs: baseLogProbs!, kl: kl!, agrees: agrees!, tail: tail!, gap: gap! },
      };
    },
  };
}

/** Puts the scores of windows, in order, together. */
export function joinScores(parts: readonly TokenScores[]): TokenScores {
  const logProbs = join(parts.map((part) => part.logProbs));
  const against = parts.flatMap((part) => (part.against ? [part.against] : []));
  if (against.length < parts.length) return { logProbs };
  const column = (name: keyof ComparedScores) => join(against.map((part) => part[name]));
  return {
    logProbs,
    against: {
      baseLogProbs: column('baseLogProbs'),
      kl: column('kl'),
      agrees: column('agrees'),
      tail: column('tail'),
      gap: column('gap'),
    },
  };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A copy that typed arrays can look at. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
