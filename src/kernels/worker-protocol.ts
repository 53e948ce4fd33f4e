import type { EncodableType, EncodeError, Kernels } from './kernels.ts';
import { transcodeCoupled, type Coupling } from './feedback/coupling.ts';
import { factorBlock, type FactorJob, type FactorResult } from './feedback/factor-block.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import { PithError, type ErrorCode } from '../util/errors.ts';

/** What the pool asks of a worker; the arrays lie in shared memory, so nothing is copied. */
export type KernelRequest =
  | {
      readonly id: number;
      readonly kind: 'transcode';
      readonly from: TensorType;
      readonly to: EncodableType;
      readonly columns: number;
      readonly bytes: Uint8Array;
      readonly out: Uint8Array;
      readonly importance: Float32Array | undefined;
      readonly coupling: Coupling | undefined;
    }
  | { readonly id: number; readonly kind: 'factor'; readonly job: FactorJob }
  | {
      readonly id: number;
      readonly kind: 'scan';
      readonly type: TensorType;
      readonly bytes: Uint8Array;
    };

/** Of a conversion, of a search for what is not finite, of a factoring. */
export type KernelResult = EncodeError | number | FactorResult;

/** What a worker answers to the request of the same id. */
export type KernelReply =
  | { readonly id: number; readonly error?: undefined; readonly result: KernelResult }
  | {
      readonly id: number;
      readonly error: {
        readonly code: ErrorCode | undefined;
        readonly message: string;
        readonly hint: string | undefined;
      };
    };

/** The pool's end of the line to one worker, whatever kind of worker the platform has. */
export interface KernelPort {
  send(request: KernelRequest): void;
  /** `onReply` per answer; `onFailure` once, when the worker dies. */
  listen(onReply: (reply: KernelReply) => void, onFailure: (error: Error) => void): void;
  close(): Promise<void>;
}

/** The worker's side: answers one request, turning every failure into a reply. */
export function answerRequest(kernels: Kernels, request: KernelRequest): KernelReply {
  const { id } = request;
  try {
    if (request.kind === 'scan')
      return { id, result: kernels.firstNonFinite(request.type, request.bytes) };
    if (request.kind === 'factor') return { id, result: factorBlock(kernels, request.job) };
    const { importance, coupling, ...job } = request;
    if (coupling) return { id, result: transcodeCoupled(kernels, job, coupling) };
    return { id, result: kernels.transcode(importance ? { ...job, importance } : job) };
  } catch (error) {
    const known = error instanceof PithError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    return { id, error: { code: known?.code, message, hint: known?.hint } };
  }
}
