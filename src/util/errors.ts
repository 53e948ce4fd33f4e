/** Stable error codes: scripts may match on them, so a code is never renamed or reused. */
export const errorCodes = {
  usage: 'The command line or an option is wrong.',
  'not-found': 'A file, folder, tensor or name does not exist.',
  'no-permission': 'The operating system refused to read or write.',
  'no-space': 'The disk is full.',
  io: 'Reading or writing failed for another reason.',
  truncated: 'A file is shorter than its own header says.',
  corrupt: 'A file contradicts itself or its format.',
  unsupported: 'A valid input asks for something Pith does not do.',
  shape: 'Sizes that must agree do not.',
  'not-finite': 'Weights or importance hold NaN or infinity.',
  conflict: 'The output exists or belongs to another job.',
  engine: 'An inference engine failed.',
  'engine-missing': 'An optional inference engine is not installed.',
  cancelled: 'The user stopped the work.',
  'verify-failed': 'A written file did not pass its own check.',
} as const;

/** One of the stable error codes. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * The only error that Pith throws on purpose: what happened and why (`message`, with the numbers
 * that disagree), and the exact next step (`hint`).
 */
export class PithError extends Error {
  override readonly name = 'PithError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
