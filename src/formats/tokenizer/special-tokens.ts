import type { Component, TokenizerJson } from './tokenizer-json.ts';
import { roles, type Role } from './settings.ts';
import { tokenTypes } from './token-table.ts';
import type { Vocabulary, VocabularySource } from './vocabulary.ts';

/** The special tokens of a model, resolved to ids of its vocabulary. */
export interface SpecialTokens {
  readonly ids: ReadonlyMap<Role | 'eot', number>;
  /** Undefined where the files leave it to llama.cpp's default for the kind of model. */
  readonly addBos: boolean | undefined;
  readonly addEos: boolean | undefined;
  readonly notes: readonly string[];
}

/** Chat models end a turn with one of these; llama.cpp knows them by their text. */
const turnEnds = ['<|eot_id|>', '<|im_end|>', '<|end|>', '<end_of_turn>', '<|return|>'];

/** Slow tokenizer classes that put a bos token first unless told otherwise. */
const addsBosByClass = /^(?:Code)?(?:Llama|Gemma)Tokenizer(?:Fast)?$/;

/**
 * Finds the special tokens by text (tokenizer_config.json, special_tokens_map.json), then by id
 * (config.json, generation_config.json), then in the SentencePiece model; and whether bos and eos
 * are added, which tokenizer_config.json decides over the post-processor, as in llama.cpp's converter.
 */
export function findSpecialTokens(source: VocabularySource, vocabulary: Vocabulary): SpecialTokens {
  const notes: string[] = [];
  const edges = templateEdges(source.tokenizer);
  const names = specialNames(source, edges, notes);
  const ids = new Map<Role | 'eot', number>();
  for (const role of roles) {
    const id = resolve(role, names.get(role), { source, vocabulary, notes });
    if (id !== undefined) ids.set(role, id);
  }
  const eot = turnEnd(vocabulary, names.get('eos'));
  if (eot !== undefined) ids.set('eot', eot);
  if (edges.inexpressible)
    notes.push(
      `llama.cpp adds one token at each end at most; this tokenizer adds ${edges.inexpressible}.`,
    );
  const addBos = decided('bos', source.settings.addBos, {
    template: source.tokenizer && addsBos(source, edges),
    id: ids.get('bos'),
    notes,
  });
  const addEos = decided('eos', source.settings.addEos, {
    template: source.tokenizer && edges.last !== undefined,
    id: ids.get('eos'),
    notes,
  });
  if (vocabulary.model === 'gemma4' && !addBos)
    notes.push('llama.cpp puts a bos token before every text of a gemma4 vocabulary.');
  return { ids, addBos, addEos, notes };
}

function addsBos({ settings }: VocabularySource, edges: Edges): boolean {
  return edges.first !== undefined || addsBosByClass.test(settings.tokenizerClass ?? '');
}

function specialNames(
  { settings, tokenizer }: VocabularySource,
  edges: Edges,
  notes: string[],
): Map<Role, string> {
  const names = new Map(settings.tokens);
  if (tokenizer?.model.type === 'WordPiece')
    adoptBertNames(names, edges, tokenizer.model.vocabulary);
  adoptEdges(names, edges, notes);
  const unknown = unknownToken(tokenizer);
  if (unknown !== undefined && !names.has('unk')) names.set('unk', unknown);
  return names;
}

/** The names that transformers' BERT tokenizers give to special tokens when nothing else is said. */
const bertNames = {
  unk: '[UNK]',
  sep: '[SEP]',
  pad: '[PAD]',
  cls: '[CLS]',
  mask: '[MASK]',
} as const;

/** Without its sep key, llama.cpp puts token 102 after a text, whatever it is. */
function adoptBertNames(
  names: Map<Role, string>,
  edges: Edges,
  vocabulary: ReadonlyMap<string, number>,
): void {
  const given = {
    ...bertNames,
    cls: edges.first ?? bertNames.cls,
    sep: edges.last ?? bertNames.sep,
  };
  for (const [role, name] of Object.entries(given) as [Role, string][]) {
    if (!names.has(role) && vocabulary.has(name)) names.set(role, name);
  }
}

interface Edges {
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** The tokens, when there are more than one at an end. */
  readonly inexpressible: string | undefined;
}

/** The tokens that the post-processor puts around a single text. */
function templateEdges(tokenizer: TokenizerJson | undefined): Edges {
  for (const component of tokenizer?.postProcessors ?? []) {
    if (component.type === 'RobertaProcessing' || component.type === 'BertProcessing')
      return {
        first: pairToken(component['cls']),
        last: pairToken(component['sep']),
        inexpressible: undefined,
      };
    if (component.type !== 'TemplateProcessing') continue;
    const parts = templateParts(component);
    const text = parts.indexOf(undefined);
    const before = (text < 0 ? parts : parts.slice(0, text)) as string[];
    const after = (text < 0 ? [] : parts.slice(text + 1)) as string[];
    const tooMany = before.length > 1 || after.length > 1;
    return {
      first: before[0],
      last: after.at(-1),
      inexpressible: tooMany ? JSON.stringify([...before, '...', ...after]) : undefined,
    };
  }
  return { first: undefined, last: undefined, inexpressible: undefined };
}

/** Token texts in template order, undefined where the text itself goes. */
function templateParts(component: Component): (string | undefined)[] {
  const single = component['single'];
  if (!Array.isArray(single)) return [];
  return single.map((part: unknown) => {
    const token = (part as { SpecialToken?: { id?: unknown } } | null)?.SpecialToken?.id;
    return typeof token === 'string' ? token : undefined;
  });
}

function pairToken(value: unknown): string | undefined {
  const token = Array.isArray(value) ? (value[0] as unknown) : undefined;
  return typeof token === 'string' ? token : undefined;
}

/** The tokens that are really added become bos and eos; cls and sep stand in for missing ones. */
function adoptEdges(names: Map<Role, string>, edges: Edges, notes: string[]): void {
  const adopt = (role: 'bos' | 'eos', edge: string | undefined, standIn: string | undefined) => {
    const named = names.get(role);
    const name = edge ?? named ?? standIn;
    if (name !== undefined) names.set(role, name);
    if (named !== undefined && name !== named)
      notes.push(
        `${JSON.stringify(name)} becomes the ${role} token in place of ${JSON.stringify(named)}: tokenizer.json adds it to every text.`,
      );
  };
  adopt('bos', edges.first, names.get('cls'));
  adopt('eos', edges.last, names.get('sep'));
}

interface ResolveContext {
  readonly source: VocabularySource;
  readonly vocabulary: Vocabulary;
  readonly notes: string[];
}

function resolve(
  role: Role,
  name: string | undefined,
  context: ResolveContext,
): number | undefined {
  const { source, vocabulary, notes } = context;
  const byName = name === undefined ? undefined : vocabulary.idOf(name);
  if (byName !== undefined) return byName;
  if (name !== undefined)
    notes.push(`The ${role} token ${JSON.stringify(name)} is not in the vocabulary.`);
  for (const id of candidateIds(role, source)) {
    if (Number.isInteger(id) && id >= 0 && id < vocabulary.rows.length) return id;
    notes.push(
      `The ${role} token id ${id} is outside the vocabulary of ${vocabulary.rows.length}.`,
    );
  }
  return undefined;
}

function candidateIds(role: Role, { settings, sentencePiece }: VocabularySource): number[] {
  const ids = [...(settings.ids.get(role)?.slice(0, 1) ?? [])];
  const specialIds: Partial<Record<Role, number>> = sentencePiece?.specialIds ?? {};
  if ((specialIds[role] ?? -1) >= 0) ids.push(specialIds[role]!);
  return ids;
}

function unknownToken(tokenizer: TokenizerJson | undefined): string | undefined {
  const model = tokenizer?.model;
  if (model?.type !== 'Unigram') return model?.unknownToken;
  return model.unknownId === undefined ? undefined : model.pieces[model.unknownId]?.[0];
}

/** The only turn-ending control token, unless it is eos already. */
function turnEnd(vocabulary: Vocabulary, eos: string | undefined): number | undefined {
  const found = turnEnds.filter((text) => {
    const id = vocabulary.idOf(text);
    return id !== undefined && vocabulary.rows[id]!.type === tokenTypes.control;
  });
  return found.length === 1 && found[0] !== eos ? vocabulary.idOf(found[0]!) : undefined;
}

interface Decision {
  readonly template: boolean | undefined;
  readonly id: number | undefined;
  readonly notes: string[];
}

function decided(role: Role, flag: boolean | undefined, decision: Decision): boolean | undefined {
  const { template, id, notes } = decision;
  const wanted = flag ?? template;
  if (wanted && id === undefined) {
    notes.push(`A ${role} token should be added, but there is none: not added.`);
    return false;
  }
  if (flag !== undefined && template !== undefined && flag !== template)
    notes.push(
      `add_${role}_token is ${flag} in tokenizer_config.json, but tokenizer.json ${template ? 'adds' : 'does not add'} it: the flag is followed.`,
    );
  return wanted;
}
