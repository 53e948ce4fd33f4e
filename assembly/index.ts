// One wasm module: every kernel family is a file of its own, re-exported here.
export * from './memory';
export * from './q3_k';
export * from './q6_k';
export * from './iq4_nl';
export * from './iq4_xs';
export * from './scan';
export * from './decode-numbers';
export * from './decode-legacy';
export * from './decode-k-quants';
export * from './decode-nonlinear';
export * from './decode-ternary';
export * from './numbers';
export * from './q8_0';
export * from './symmetric';
export * from './affine';
export * from './mxfp4';
export * from './ternary';
