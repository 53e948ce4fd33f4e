import type { Engine, Program } from '../../graph/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { simplify } from '../../graph/rewrites/simplify.ts';

/** Programs by a key, compiled when first asked for and kept: making them costs, and may leak. */
export class Programs {
  readonly #engine: Engine;
  readonly #compiled = new Map<string, Promise<Program>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get(key: string, graph: () => Graph): Promise<Program> {
    const known = this.#compiled.get(key);
    if (known) return known;
    const compiling = this.#engine.compile(simplify(graph()));
    compiling.catch(() => this.#compiled.delete(key));
    this.#compiled.set(key, compiling);
    return compiling;
  }

  async close(): Promise<void> {
    for (const program of this.#compiled.values())
      await (await program.catch(() => undefined))?.close();
    this.#compiled.clear();
  }
}

/** The part of a graph that one output needs, under a new name. */
export function partFor(graph: Graph, output: string, name: string): Graph {
  const { value } = graph.outputs.find((candidate) => candidate.name === output)!;
  const { nodes, inputs, outputs } = simplify({ ...graph, outputs: [{ name, value }] });
  const used = new Set(nodes.flatMap((node) => node.inputs.map(({ id }) => id)));
  return { nodes, outputs, inputs: inputs.filter((input) => used.has(input.value.id)) };
}

/** Names of the weights among a graph's inputs. */
export function weightNames({ inputs }: Graph): string[] {
  return inputs
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.weight') || name.endsWith('.bias'));
}
