// The part of the encoders that Q2_K, Q4_K and Q5_K share.
import { layOut } from './asymmetric-block';
import { writeCodes } from './asymmetric-codes';
import { fitGroup } from './asymmetric-fit';
import { fitSteps, minStepHalf, stepHalf } from './asymmetric-steps';
import { groupCount } from './asymmetric-type';
import { f16ToF32 } from './half-float';

/** Fits one super-block; leaves its codes, sub-scale codes and steps for the packer. */
export function fitSuperBlock(
  values: usize,
  importance: usize,
  stats: usize,
  starts: usize,
  startCount: i32,
  tops: usize,
  topCount: i32,
): void {
  const factor = layOut(values, importance);
  for (let g = 0; g < groupCount; g++) fitGroup(g, starts, startCount);
  fitSteps(tops, topCount, factor);
  writeCodes(values, f16ToF32(stepHalf), f16ToF32(minStepHalf), stats);
}
