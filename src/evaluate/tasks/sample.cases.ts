import type { TaskModel } from './model.ts';
import { loadTask, type Task } from './task.ts';
import type { TaskFile } from './text.ts';

/** A file of a text. */
export function textFile(name: string, text: string): TaskFile {
  return { name, bytes: new TextEncoder().encode(text) };
}

/** A JSONL file of rows. */
export function rowsFile(name: string, rows: readonly object[]): TaskFile {
  return textFile(name, rows.map((row) => JSON.stringify(row)).join('\n'));
}

/** A task of YAML lines and rows; `t.yaml` and `rows.jsonl` in messages. */
export function sampleTask(yaml: string, rows: readonly object[]): Promise<Task> {
  const data = [rowsFile('rows.jsonl', rows)];
  const read = async (path: string) => textFile(path, '');
  return loadTask(textFile('t.yaml', yaml), { read, data });
}

/** Two choices, `a` and `b`, after `q`; the answer `gold` by index or text. */
export const choiceTask = `task: pair
output_type: multiple_choice
doc_to_text: q
doc_to_choice: "{{[a, b]}}"
doc_to_target: gold
metric_list: [{ metric: acc }, { metric: acc_norm }, { metric: mcc }, { metric: f1 }]
`;

/** How likely a letter is after a text; the model of `letterModel`. */
export type LetterProbability = (before: string, letter: string) => number;

/** A model whose tokens are characters, and which knows `contextLength` of them. */
export function letterModel(probability: LetterProbability, contextLength = 100): TaskModel {
  const logProb = (tokens: Int32Array, at: number, token: number) => {
    const before = String.fromCodePoint(...tokens.subarray(0, at)).replaceAll('\0', '');
    return Math.log(probability(before, String.fromCodePoint(token)));
  };
  return {
    prefixToken: 0,
    addPrefix: false,
    tokenizer: { encode: (text) => Array.from(text, (letter) => letter.codePointAt(0)!) },
    scorer: {
      engine: 'onnx',
      device: 'cpu',
      vocabulary: 128,
      contextLength,
      async score({ tokens, first }, options) {
        const scored = [...tokens.keys()].slice(first);
        const letters = Array.from({ length: 128 }, (_, token) => token);
        const best = scored.map((at) => {
          const all = letters.map((token) => logProb(tokens, at, token));
          return all.indexOf(Math.max(...all));
        });
        return {
          logProbs: Float32Array.from(scored, (at) => logProb(tokens, at, tokens[at]!)),
          best: Int32Array.from(best),
          at: Float32Array.from(options?.at ?? [], (token) => logProb(tokens, first, token)),
        };
      },
      async close() {},
    },
  };
}
