import type { ByteSink } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import type { GgufPlan, PlannedTensor } from './plan.ts';

/** A sink that may note how far a long write has come: `Output` of storage/, or a wrapper of it. */
export interface CheckpointSink extends ByteSink {
  /** Called after the header and after each tensor, with what was just completed. */
  checkpoint?(step: string): Promise<void>;
}

/**
 * Streams a planned GGUF file: the header, then each tensor's bytes and the zeros after them.
 *
 * @param chunksOf - Yields the bytes of one tensor, in order, in chunks of any size.
 * @param resumeOffset - Bytes that the sink already holds: 0, or where a checkpoint was made.
 * @throws {@link PithError} `shape` when a tensor yields more or fewer bytes than planned, or when
 * `resumeOffset` is no checkpoint of this plan.
 */
export async function writeGguf(
  plan: GgufPlan,
  sink: CheckpointSink,
  chunksOf: (tensor: PlannedTensor) => AsyncIterable<Uint8Array>,
  resumeOffset = 0,
): Promise<void> {
  const ends = plan.tensors.map(({ offset, paddedLength }) => offset + paddedLength);
  if (![0, plan.header.length, ...ends].includes(resumeOffset)) {
    const problem = `Cannot resume at byte ${resumeOffset}: no tensor of this file ends there.`;
    throw new PithError('shape', problem, 'Start the output again from the beginning.');
  }
  if (resumeOffset === 0) {
    await sink.write(plan.header);
    await sink.checkpoint?.('header');
  }
  for (const tensor of plan.tensors) {
    if (tensor.offset + tensor.paddedLength <= resumeOffset) continue;
    await writeTensor(tensor, sink, chunksOf(tensor));
    await sink.checkpoint?.(tensor.name);
  }
}

async function writeTensor(
  { name, byteLength, paddedLength }: PlannedTensor,
  sink: ByteSink,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  let written = 0;
  for await (const chunk of chunks) {
    written += chunk.length;
    if (written > byteLength) throw wrongLength(name, byteLength, `at least ${written}`);
    await sink.write(chunk);
  }
  if (written !== byteLength) throw wrongLength(name, byteLength, String(written));
  await sink.write(new Uint8Array(paddedLength - byteLength));
}

function wrongLength(name: string, planned: number, got: string): PithError {
  return new PithError('shape', `${name}: planned ${planned} bytes, but got ${got}.`);
}
