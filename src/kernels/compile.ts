let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the SIMD kernels, once; the module can be sent to other threads. */
export function compileKernels(): Promise<WebAssembly.Module> {
  return (compiled ??= compile());
}

async function compile(): Promise<WebAssembly.Module> {
  const { wasmBase64 } = await import('./generated/wasm-module.ts');
  return WebAssembly.compile(Uint8Array.from(atob(wasmBase64), (letter) => letter.charCodeAt(0)));
}
