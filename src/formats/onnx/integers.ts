import { unsupported } from './errors.ts';

/** Protobuf's form of an integer; `what` names it in messages. */
export function toInt64(value: number, what: string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw unsupported(what, `${value} is no integer of up to 53 bits`, 'Give a smaller integer.');
}

/** The number that protobuf's integer stands for, if a number can. */
export function fromInt64(value: bigint, what: string): number {
  if (Number.isSafeInteger(Number(value))) return Number(value);
  const hint = 'Export the model with the operators of opset 10 or newer, which avoid such bounds.';
  throw unsupported(what, `the integer ${value} has more than 53 bits`, hint);
}
