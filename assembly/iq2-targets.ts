// The search that the IQ2 types share; see src/kernels/scalar/codebook-tuning.ts.
import { useTargets } from './codebook-scales';

const plainTargets = memory.data<f32>([36, 42, 48, 54, 60]);
const weightedTargets = memory.data<f32>([36, 42, 48, 55, 63, 72]);

export function useIq2Targets(importance: usize, stretch: f32): void {
  if (importance) useTargets(weightedTargets, 6, 4, stretch);
  else useTargets(plainTargets, 5, 4, stretch);
}
