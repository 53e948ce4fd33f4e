import type { EncodableType, EncodeError, Kernels } from './kernels.ts';
import { transcodeCoupled, type Coupling } from './feedback/coupling.ts';
import { factorBlock, type FactorJob, type FactorResult } from './feedback/factor-block.ts';
import { blockTypes } from '../tensor/block-types.ts';
import { unitOf, type TensorType } from '../tensor/dtypes.ts';

/** A slab of whole rows to convert; `bytes` is read before the promise settles, never modified. */
export interface Slab {
  readonly from: TensorType;
  readonly to: EncodableType;
  readonly columns: number;
  readonly bytes: Uint8Array;
  /** One weight ≥ 0 a column. */
  readonly importance?: Float32Array;
  /** Encodes with error feedback; importance then follows from it. */
  readonly coupling?: Coupling;
}

/** Memory for the bytes of one slab; `release` gives it back when nothing reads them any more. */
export interface SlabMemory {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/** A converted slab; `out` is only valid until `release`, which lets its memory be used again. */
export interface TranscodedSlab extends EncodeError {
  readonly out: Uint8Array;
  readonly release: () => void;
}

/** Converts slabs, on this thread or on a pool of workers. */
export interface Transcoder {
  readonly threads: number;
  /** Memory to read a slab into; bytes that lie elsewhere are copied on their way to the kernels. */
  reserve(byteLength: number): SlabMemory;
  transcode(slab: Slab): Promise<TranscodedSlab>;
  /** Index of the first NaN or infinite weight of `bytes`, or -1. */
  firstNonFinite(type: TensorType, bytes: Uint8Array): Promise<number>;
  /** Factors a block of a matrix; `out` should lie in shared memory, or is copied. */
  factor(job: FactorJob): Promise<FactorResult>;
  close(): Promise<void>;
}

/** Bytes that a slab takes once converted. */
export function slabOutputBytes(slab: Pick<Slab, 'from' | 'to' | 'bytes'>): number {
  const unit = unitOf(slab.from);
  const weights = (slab.bytes.length / unit.bytes) * unit.weights;
  return (weights / blockTypes[slab.to].weights) * blockTypes[slab.to].bytes;
}

/** A `Transcoder` that works on the calling thread: for tests and places without workers. */
export function inlineTranscoder(kernels: Kernels): Transcoder {
  return {
    threads: 1,
    reserve: (byteLength) => ({ bytes: new Uint8Array(byteLength), release: () => undefined }),
    transcode: async (slab) => {
      const out = new Uint8Array(slabOutputBytes(slab));
      const { coupling } = slab;
      const job = { ...slab, out };
      const error = coupling ? transcodeCoupled(kernels, job, coupling) : kernels.transcode(job);
      return { ...error, out, release: () => undefined };
    },
    firstNonFinite: async (type, bytes) => kernels.firstNonFinite(type, bytes),
    factor: async (job) => factorBlock(kernels, job),
    close: async () => undefined,
  };
}
