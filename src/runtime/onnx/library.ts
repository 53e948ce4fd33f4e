import { createRequire } from 'node:module';
import type * as OnnxRuntimeNode from 'onnxruntime-node';
import { PithError } from '../../util/errors.ts';

/** ONNX Runtime's Node package. */
export type OnnxLibrary = typeof OnnxRuntimeNode;

/** The release of onnxruntime-node that Pith is tested with. */
export const onnxRuntimeVersion = '1.30.0';

/** Its install script only fetches CUDA's files, and fails where the network is closed. */
export const onnxRuntimeInstall = `npm install --ignore-scripts onnxruntime-node@${onnxRuntimeVersion}`;

/**
 * Version of the installed onnxruntime-node, which is optional; loads nothing.
 *
 * @throws PithError `engine-missing`.
 */
export function installedOnnxRuntime(): string {
  const require = createRequire(import.meta.url);
  try {
    return (require('onnxruntime-node/package.json') as { version: string }).version;
  } catch (cause) {
    const message = 'Running graphs needs onnxruntime-node, which is not installed.';
    throw new PithError('engine-missing', message, onnxRuntimeInstall, { cause });
  }
}

/**
 * Loads onnxruntime-node and silences its log: what fails is thrown.
 *
 * @throws PithError `engine-missing` when it is not installed, `engine` when this platform has no build.
 */
export async function importOnnxRuntime(): Promise<OnnxLibrary> {
  installedOnnxRuntime();
  try {
    const library = await import('onnxruntime-node');
    library.env.logLevel = 'fatal';
    return library;
  } catch (cause) {
    const message = `onnxruntime-node does not load: ${(cause as Error).message}`;
    throw new PithError('engine', message, onnxRuntimeInstall, { cause });
  }
}
