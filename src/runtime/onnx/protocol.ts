import type { ElementType, Shape, TensorData } from '../../graph/value.ts';
import type { ErrorCode } from '../../util/errors.ts';

/** Data with its type and shape, on its way between threads. */
export interface DenseTensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly data: TensorData;
}

/** How a session is made; the same for all sessions of an engine. */
export interface SessionSettings {
  readonly threads: number;
  readonly provider: string;
}

/** What the engine asks of the thread that owns ONNX Runtime; numbers name programs and tensors. */
export type OnnxRequest =
  | { readonly kind: 'compile'; readonly program: number; readonly model: Uint8Array }
  | { readonly kind: 'close-program'; readonly program: number }
  | { readonly kind: 'store'; readonly tensor: number; readonly value: DenseTensor }
  | { readonly kind: 'release'; readonly tensor: number }
  | RunRequest
  | { readonly kind: 'close' };

/** One run: inputs by name, data or the number of a stored tensor. */
export interface RunRequest {
  readonly kind: 'run';
  readonly program: number;
  readonly inputs: Readonly<Record<string, DenseTensor | number>>;
  /** Outputs to send back. */
  readonly outputs: readonly string[];
  /** Outputs to store under new numbers. */
  readonly keep: Readonly<Record<string, number>>;
  /** Outputs to write into the memory of stored tensors. */
  readonly into: Readonly<Record<string, number>>;
}

/** Outputs of a run; empty for every other request. */
export type OnnxAnswer = Readonly<Record<string, TensorData>>;

/** A request with the number that its reply carries. */
export interface Numbered {
  readonly id: number;
  readonly request: OnnxRequest;
}

/** What comes back for the request of the same id. */
export type OnnxReply =
  | { readonly id: number; readonly error?: undefined; readonly answer: OnnxAnswer }
  | {
      readonly id: number;
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string | undefined;
      };
    };

/** The engine's end of the line to whatever owns ONNX Runtime. */
export interface OnnxPort {
  /** Sends a request; memory in `transfer` is handed over, not copied. */
  send(message: Numbered, transfer: readonly ArrayBuffer[]): void;
  /** `onReply` per request; `onFailure` once, when the other side dies. */
  listen(onReply: (reply: OnnxReply) => void, onFailure: (error: Error) => void): void;
  /** Resolves when the other side, having answered `close`, has ended. */
  ended(): Promise<void>;
}
