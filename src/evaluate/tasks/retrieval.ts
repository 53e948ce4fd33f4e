import { PithError } from '../../util/errors.ts';
import type { RankedAnswer } from './metric-rules.ts';
import type { TaskModel } from './model.ts';
import { badRow, type Row } from './row.ts';
import type { Task } from './task.ts';
import { RowTemplate } from './template.ts';

/** Texts that are embedded at once. */
const batch = 32;

/** A query with the grades of its relevant documents. */
interface Query {
  readonly row: Row;
  readonly text: string;
  readonly grades: ReadonlyMap<string, number>;
}

/** What a model is asked in a retrieval task. */
export interface RetrievalQuestions {
  readonly queries: readonly Query[];
  readonly documents: readonly { readonly id: string; readonly text: string }[];
}

/**
 * Queries and documents of a retrieval task: documents have `_id`, as in BEIR; a query's relevant ones
 * are a list of ids, or a grade by id.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for documents without an id or with one that was
 *   there before, and queries without a relevant document or with one that is not in the corpus.
 */
export function retrievalQuestions({ definition, rows, corpus }: Task): RetrievalQuestions {
  const { file } = definition;
  const document = new RowTemplate(definition.doc_to_document, `${file}: doc_to_document`);
  const text = new RowTemplate(String(definition.doc_to_text), `${file}: doc_to_text`);
  const target = new RowTemplate(String(definition.doc_to_target), `${file}: doc_to_target`);
  const ids = new Set<string>();
  const documents = corpus.map((row) => {
    const id: unknown = row.values['_id'];
    if (typeof id !== 'string' || ids.has(id)) {
      const problem =
        typeof id === 'string' ? `the document "${id}" is there twice` : 'no text "_id"';
      throw badRow(row.where, problem, 'Give each document an "_id" of its own.');
    }
    ids.add(id);
    return { id, text: document.text(row).trim() };
  });
  const queries = rows.map((row) => {
    return { row, text: text.text(row), grades: gradesOf(row, target.value(row), ids) };
  });
  return { queries, documents };
}

function gradesOf(row: Row, target: unknown, ids: ReadonlySet<string>): Map<string, number> {
  const pairs: [string, unknown][] = Array.isArray(target)
    ? target.map((id) => [String(id), 1])
    : Object.entries(typeof target === 'object' && target !== null ? target : {});
  const grades = new Map<string, number>();
  for (const [id, grade] of pairs) {
    if (typeof grade !== 'number' || !(grade >= 0 && grade < Infinity)) {
      throw badRow(row.where, `the grade of "${id}" is ${JSON.stringify(grade)}`, 'Give a number.');
    }
    if (!ids.has(id)) {
      throw badRow(row.where, `the relevant document "${id}" is not in the corpus`, 'Add it.');
    }
    if (grade > 0) grades.set(id, grade);
  }
  if (grades.size > 0) return grades;
  throw badRow(row.where, 'the row has no answer: no document is relevant', 'Remove the row.');
}

/** How texts become vectors. */
export interface RankOptions {
  readonly embed: NonNullable<TaskModel['embed']>;
  /** Vectors of an earlier run; texts are numbered from 0, first the documents, then the queries. */
  readonly known?: ReadonlyMap<number, { readonly vector: readonly number[] }> | undefined;
  /** Gets each new vector, as the model made it. */
  readonly onVector?: (number: number, vector: Float32Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ranks all documents for every query by the cosine of their vectors; equal ones keep their order.
 *
 * @throws {@link PithError} `not-finite` for vectors with NaN or of length 0; `cancelled`.
 * @remarks O(queries · documents · width); all vectors are held.
 */
export async function rankDocuments(
  { queries, documents }: RetrievalQuestions,
  options: RankOptions,
): Promise<RankedAnswer[]> {
  const texts = documents.map(({ text }) => text);
  const documentVectors = await vectorsOf(texts, 'document', 0, options);
  const asked = queries.map(({ text }) => text);
  const queryVectors = await vectorsOf(asked, 'query', documents.length, options);
  return queries.map(({ grades }, at) => {
    const cosines = documentVectors.map((vector) => dot(vector, queryVectors[at]!));
    const order = cosines.map((_, index) => index).sort((a, b) => cosines[b]! - cosines[a]!);
    const ranked = order.map((index) => grades.get(documents[index]!.id) ?? 0);
    return { ranked, relevant: [...grades.values()] };
  });
}

/** Vectors of length 1. A batch of which one is missing is embedded again as it was. */
async function vectorsOf(
  texts: readonly string[],
  kind: 'query' | 'document',
  first: number,
  { embed, known, onVector, signal }: RankOptions,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for (let at = 0; at < texts.length; at += batch) {
    if (signal?.aborted) throw new PithError('cancelled', 'The evaluation was stopped.');
    const part = texts.slice(at, at + batch);
    const kept = part.map((_, index) => known?.get(first + at + index));
    if (kept.every((found) => found !== undefined)) {
      all.push(...kept.map(({ vector }) => normalized(Float32Array.from(vector))));
      continue;
    }
    for (const [index, vector] of (await embed(part, kind, signal)).entries()) {
      all.push(normalized(vector));
      onVector?.(first + at + index, vector);
    }
  }
  return all;
}

function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  if (length > 0 && length < Infinity) return vector.map((value) => value / length);
  const hint = 'Check the model: its embedding of a text has no direction.';
  throw new PithError('not-finite', `An embedding has length ${length}.`, hint);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
