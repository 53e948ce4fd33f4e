// One wasm module: every kernel family is a file of its own, re-exported here.
export * from './memory';
export * from './q3_k';
export * from './q6_k';
export * from './iq4_nl';
export * from './iq4_xs';
