import { platform } from 'node:os';

/** What can compute for ONNX Runtime; the package for each system has some of them. */
export const onnxProviders = ['cpu', 'cuda', 'dml', 'coreml', 'webgpu', 'qnn'] as const;

/** A provider of ONNX Runtime, by its name there. */
export type OnnxProvider = (typeof onnxProviders)[number];

/** The providers that packages for this system are built with. */
export function providersHere(): OnnxProvider[] {
  const here = platform();
  if (here === 'darwin') return ['cpu', 'coreml', 'webgpu'];
  return here === 'win32' ? ['cpu', 'dml', 'webgpu', 'qnn'] : ['cpu', 'cuda', 'webgpu'];
}
