import { availableParallelism } from 'node:os';
import { availableMemory } from 'node:process';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import { openOnnxScorer, type OnnxScorer } from '../../../evaluate/onnx/index.ts';
import { keptTop } from '../../../evaluate/score-windows.ts';
import type { TokenWindow } from '../../../evaluate/scorer.ts';
import { compareScores, type BaseScores } from '../../../evaluate/token-scores.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import type { Transcoder } from '../../../kernels/transcoder.ts';
import type { Model } from '../../../models/model.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import { openOnnxEngine } from '../../../runtime/onnx/index.ts';
import { OpenThings } from '../../../util/closing.ts';
import { inOrder } from '../../../util/in-order.ts';
import type { ShrinkTarget } from '../request.ts';
import { EncodedTensors } from './encoded-tensors.ts';

/** Tensors in work: a matrix whose rows are all coupled keeps one thread busy. */
const tensorsAtOnce = 2;

/** What probes run. */
export interface ProbeParts {
  readonly model: Model;
  /** With its Hessians, rounding errors are fed back, as in the file that is to be written. */
  readonly evidence: Evidence;
  readonly imatrix: Imatrix;
  /** Windows of text, all of one length. */
  readonly windows: readonly Int32Array[];
}

/** Measures what some tensors' types do to the whole model, against the model itself. */
export class KlProbe {
  readonly #parts: ProbeParts;
  readonly #scorer: OnnxScorer;
  readonly #encoded: EncodedTensors;
  readonly #opened: OpenThings;
  readonly #base: readonly BaseScores[];
  /** Types of the tensors that are not the model's own now. */
  readonly #current = new Map<string, EncodableType>();

  private constructor(parts: ProbeParts, tools: Tools, base: readonly BaseScores[]) {
    this.#parts = parts;
    this.#scorer = tools.scorer;
    const { transcoder } = tools;
    const couplings = new Couplings(parts.evidence, transcoder);
    this.#encoded = new EncodedTensors({ ...parts, couplings, transcoder });
    this.#opened = tools.opened;
    this.#base = base;
  }

  /** Loads the model into ONNX Runtime and scores the windows with it. */
  static async open(parts: ProbeParts, target: ShrinkTarget): Promise<KlProbe> {
    const { threads = availableParallelism(), signal } = target;
    const opened = new OpenThings();
    try {
      const engine = opened.add(await openOnnxEngine({ threads, ...(signal && { signal }) }));
      const transcoder = opened.add(await startTranscoder(threads));
      const options = {
        contextLength: parts.windows[0]!.length,
        transcoder,
        availableBytes: availableMemory(),
        ...(signal && { signal }),
      };
      const scorer = opened.add(await openOnnxScorer(parts.model, engine, options));
      const top = keptTop(scorer.vocabulary);
      const scored = parts.windows.map((tokens) => scorer.score(windowOf(tokens), { top }));
      const base = (await Promise.all(scored)).map((scores) => {
        return { logProbs: scores.logProbs, top: scores.top! };
      });
      return new KlProbe(parts, { scorer, transcoder, opened }, base);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /**
   * Mean KL(model ‖ model with these tensors quantized) over the windows, nats a token.
   *
   * @remarks The tensors whose type is another than in the last call are encoded, and one forward pass over
   *   the windows.
   */
  async measure(types: ReadonlyMap<string, EncodableType>): Promise<number> {
    for (const name of this.#current.keys()) if (!types.has(name)) await this.#restore(name);
    const changed = [...types].filter(([name, type]) => this.#current.get(name) !== type);
    const rounded = inOrder(changed, tensorsAtOnce, async ([name, type]) => {
      return { name, type, values: await this.#encoded.rounded(name, type) };
    });
    for await (const { name, type, values } of rounded) {
      await this.#scorer.replaceWeights(name, values);
      this.#current.set(name, type);
    }
    return this.#divergence();
  }

  async #restore(name: string): Promise<void> {
    await this.#scorer.replaceWeights(name);
    this.#current.delete(name);
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  async #divergence(): Promise<number> {
    const scorer = this.#scorer;
    const compared = this.#parts.windows.map(async (tokens, at) => {
      const base = this.#base[at]!;
      const scores = await scorer.score(windowOf(tokens), { at: base.top.ids });
      const isWhole = base.top.ids.length === scores.logProbs.length * scorer.vocabulary;
      return compareScores(scores, base, isWhole).against!.kl;
    });
    const found = await Promise.all(compared);
    const sum = found.reduce((total, kl) => total + kl.reduce((a, b) => a + b, 0), 0);
    return sum / found.reduce((total, { length }) => total + length, 0);
  }
}

interface Tools {
  readonly scorer: OnnxScorer;
  readonly transcoder: Transcoder;
  readonly opened: OpenThings;
}

function windowOf(tokens: Int32Array): TokenWindow {
  return { tokens, first: 1 };
}
