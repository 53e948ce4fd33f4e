import { createHash } from 'node:crypto';
import type { PlannedFile } from '../../compress/evidence/evidence-file.ts';
import { writeGguf } from '../../formats/gguf/write.ts';
import { openOutput } from '../../storage/output-file.ts';

/** Writes a planned file; `key` stands for the numbers in it. Returns its bytes. */
export async function writePlanned(
  path: string,
  { plan, valuesOf }: PlannedFile,
  { key, force = false }: { readonly key: string; readonly force?: boolean | undefined },
): Promise<number> {
  const planHash = hashOf([plan.header, new TextEncoder().encode(key)]);
  const output = await openOutput(path, { planHash, totalBytes: plan.totalBytes, force });
  try {
    await writeGguf(
      plan,
      output,
      async function* ({ name }) {
        const { buffer, byteOffset, byteLength } = await valuesOf(name);
        yield new Uint8Array(buffer, byteOffset, byteLength);
      },
      output.resumeOffset,
    );
    await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return plan.totalBytes;
}

/** SHA-256 of bytes one after the other. */
export function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
