// One wasm module: every kernel family is a file of its own, re-exported here.
export * from './memory';
