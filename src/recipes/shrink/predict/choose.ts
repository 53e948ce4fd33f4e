import { availableMemory } from 'node:process';
import {
  allocate,
  calibrateCosts,
  choiceGroups,
  refineAllocation,
  type Allocation,
  type Probe,
  type TensorCosts,
} from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import { modeOf } from '../../../evaluate/onnx/open.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import { PithError } from '../../../util/errors.ts';
import { checkBudget, fileBudget, type FileFrame } from '../budget/file-frame.ts';
import type { Budget, SizedBudget } from '../budget/budget.ts';
import type { Job } from '../job.ts';
import type { CostEntries } from './costs.ts';
import { KlProbe } from './kl-probe.ts';

/** What was chosen for a budget; a keep budget gets its types when files are measured. */
export interface Choices {
  readonly allocation?: Allocation;
  /** As measured around the allocation, where that was possible. */
  readonly costs: TensorCosts;
}

/** What choosing starts from. */
export interface ChoiceInputs {
  readonly costs: CostEntries;
  readonly evidence: Evidence;
  readonly imatrix: Imatrix;
  readonly frame: FileFrame;
}

/** Below so many bits a weight costs of matrices do not simply add up: they are measured once more. */
const roundsBelow = { bits: 3.5, rounds: 2 };

/**
 * Chooses types for every budget. Costs are corrected by measurements of the whole model, on calibration text
 * that the evidence does not come from; a model too large for that in memory is taken as predicted.
 *
 * @throws PithError as `checkBudget`, `allocate` and `calibrateCosts`.
 */
export async function chooseAll(
  job: Job,
  inputs: ChoiceInputs,
): Promise<ReadonlyMap<string, Choices>> {
  const session = new ProbeSession(job, inputs);
  try {
    const chosen = new Map<string, Choices>();
    for (const budget of job.budgets)
      chosen.set(budget.label, await choose(job, budget, inputs, session));
    return chosen;
  } finally {
    await session.close();
  }
}

/** Why costs are only predicted, if they are. */
export function probeNotes({ model }: Job): string[] {
  return mayProbe(model)
    ? []
    : ['The model is too large to be measured in memory: costs are predicted only.'];
}

function mayProbe(model: Job['model']): boolean {
  return modeOf(model, { availableBytes: availableMemory() }).mode === 'whole';
}

async function choose(
  job: Job,
  budget: Budget,
  { costs, frame }: ChoiceInputs,
  session: ProbeSession,
): Promise<Choices> {
  const predicted: TensorCosts = new Map(costs);
  const given = job.given.get(budget.label);
  if (given) {
    const { types, klDivergence } = given;
    return { allocation: allocationOf(predicted, types, klDivergence), costs: predicted };
  }
  const found = await job.steps.run(stepOf(budget), async () => {
    if (budget.kind === 'keep') return { costs: [...(await calibrated(job, predicted, session))] };
    checkBudget(budget, frame, job.candidates);
    return refined(job, budget, { predicted, frame }, session);
  });
  const corrected: TensorCosts = new Map(found.costs);
  if (!('types' in found)) return { costs: corrected };
  return {
    allocation: allocationOf(corrected, new Map(found.types), found.klDivergence),
    costs: corrected,
  };
}

/** The step of choosing for a budget. */
export function stepOf({ label }: Budget): string {
  return `types ${label}`;
}

async function calibrated(
  { model, target }: Job,
  costs: TensorCosts,
  session: ProbeSession,
): Promise<TensorCosts> {
  if (!mayProbe(model)) return costs;
  return (await calibrateCosts(costs, session.probe, target)).costs;
}

/** Types as plain data. */
interface FoundTypes {
  readonly costs: CostEntries;
  readonly types: readonly (readonly [tensor: string, type: EncodableType])[];
  readonly klDivergence: number;
}

async function refined(
  { model, target }: Job,
  budget: SizedBudget,
  { predicted, frame }: { readonly predicted: TensorCosts; readonly frame: FileFrame },
  session: ProbeSession,
): Promise<FoundTypes> {
  const bytes = fileBudget(budget, frame) - frame.headerBytes - frame.keptBytes;
  if (!mayProbe(model)) {
    const { types, cost } = allocate(choiceGroups(predicted), bytes);
    return { costs: [...predicted], types: [...types], klDivergence: cost };
  }
  const { onProgress, signal } = target;
  const rounds = (8 * bytes) / frame.weights < roundsBelow.bits ? roundsBelow.rounds : 1;
  const options = { rounds, onProgress, signal };
  const {
    allocation,
    measured,
    rounds: learnt,
  } = await refineAllocation(predicted, bytes, session.probe, options);
  const costs = learnt.at(-1)?.costs ?? predicted;
  return { costs: [...costs], types: [...allocation.types], klDivergence: measured };
}

/** What types that are known take and cost. */
export function allocationOf(
  costs: TensorCosts,
  types: ReadonlyMap<string, EncodableType>,
  klDivergence: number,
): Allocation {
  let bytes = 0;
  for (const [name, choices] of costs) {
    const type = types.get(name);
    const choice = choices.find((one) => one.type === type);
    if (!choice) throw notACandidate(name, type);
    bytes += choice.bytes;
  }
  return { types, bytes, cost: klDivergence };
}

function notACandidate(name: string, type: EncodableType | undefined): PithError {
  return new PithError(
    'not-found',
    type === undefined
      ? `The recipe has no type for ${name}.`
      : `The recipe gives ${name} the type ${type}, which is not among its candidates.`,
    'Leave "chosen" out of the recipe to have types chosen anew.',
  );
}

/** The model in ONNX Runtime, loaded when it is first asked. */
class ProbeSession {
  readonly #job: Job;
  readonly #inputs: ChoiceInputs;
  #opened: Promise<KlProbe> | undefined;

  constructor(job: Job, inputs: ChoiceInputs) {
    this.#job = job;
    this.#inputs = inputs;
  }

  readonly probe: Probe = async (types) => {
    const { model, split, target } = this.#job;
    const { evidence, imatrix } = this.#inputs;
    const parts = { model, evidence, imatrix, windows: split.heldOut };
    this.#opened ??= KlProbe.open(parts, target);
    target.signal?.throwIfAborted();
    return (await this.#opened).measure(types);
  };

  async close(): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.close();
  }
}
