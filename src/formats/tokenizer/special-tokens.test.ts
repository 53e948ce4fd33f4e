import { expect, test } from 'vitest';
import { ggufVocabulary } from './gguf-vocabulary.ts';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const names = ['<s>', '</s>', '<unk>', '<pad>', '<|im_end|>', '[CLS]', '[SEP]'];
const tokenizer = {
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  added_tokens: names.map((content, i) => ({ id: 3 + i, content, special: true })),
};
const idOf = (name: string) => 3 + names.indexOf(name);

function convert(files: Record<string, unknown>, postProcessor: unknown = null) {
  const all = { 'tokenizer.json': { ...tokenizer, post_processor: postProcessor }, ...files };
  const { metadata, notes } = ggufVocabulary(
    new Map(Object.entries(all).map(([name, value]) => [name, json(value)])),
  );
  return { of: (key: string) => metadata.get(`tokenizer.${key}`)?.value, notes: notes.join('\n') };
}

const template = (...single: (string | null)[]) => ({
  type: 'TemplateProcessing',
  single: single.map((id) => (id === null ? { Sequence: { id: 'A' } } : { SpecialToken: { id } })),
});

test('a token given as text or as object is found; tokenizer_config.json goes before the others', () => {
  const { of } = convert({
    'tokenizer_config.json': { bos_token: { content: '<s>', lstrip: false }, eos_token: '</s>' },
    'special_tokens_map.json': { bos_token: '<pad>', unk_token: { content: '<unk>' } },
    'config.json': { eos_token_id: 0, pad_token_id: [idOf('<pad>'), 0] },
    'generation_config.json': { pad_token_id: 1 },
  });
  expect(of('ggml.bos_token_id')).toBe(idOf('<s>'));
  expect(of('ggml.eos_token_id')).toBe(idOf('</s>'));
  expect(of('ggml.unknown_token_id')).toBe(idOf('<unk>'));
  expect(of('ggml.padding_token_id')).toBe(idOf('<pad>'));
});

test('a special token that the vocabulary lacks is noted, and its id taken from config.json', () => {
  const { of, notes } = convert({
    'tokenizer_config.json': { pad_token: '[PAD]', sep_token: '[S]' },
    'config.json': { text_config: { pad_token_id: idOf('<pad>'), sep_token_id: 99 } },
  });
  expect(of('ggml.padding_token_id')).toBe(idOf('<pad>'));
  expect(of('ggml.seperator_token_id')).toBeUndefined();
  expect(notes).toContain('The pad token "[PAD]" is not in the vocabulary.');
  expect(notes).toContain('The sep token id 99 is outside the vocabulary of 10.');
});

test('the post-processor decides whether bos and eos are added', () => {
  const settings = { 'tokenizer_config.json': { bos_token: '<s>', eos_token: '</s>' } };
  const added = (post: unknown) => {
    const { of } = convert(settings, post);
    return [of('ggml.add_bos_token'), of('ggml.add_eos_token')];
  };
  expect(added(template('<s>', null))).toEqual([true, false]);
  expect(added(template(null, '</s>'))).toEqual([false, true]);
  expect(added({ type: 'Sequence', processors: [template('<s>', null, '</s>')] })).toEqual([
    true,
    true,
  ]);
  expect(added(null)).toEqual([false, false]);
  expect(added({ type: 'ByteLevel' })).toEqual([false, false]);
});

test('a flag in tokenizer_config.json wins over the post-processor, with a note', () => {
  const { of, notes } = convert(
    { 'tokenizer_config.json': { bos_token: '<s>', add_bos_token: false } },
    template('<s>', null),
  );
  expect(of('ggml.add_bos_token')).toBe(false);
  expect(notes).toContain('add_bos_token is false in tokenizer_config.json');
});

test('a token that is really added replaces another eos, and the chat turn end becomes eot', () => {
  const { of, notes } = convert(
    { 'tokenizer_config.json': { eos_token: '<|im_end|>' } },
    template(null, '</s>'),
  );
  expect(of('ggml.eos_token_id')).toBe(idOf('</s>'));
  expect(of('ggml.eot_token_id')).toBe(idOf('<|im_end|>'));
  expect(notes).toContain('"</s>" becomes the eos token in place of "<|im_end|>"');
});

test('cls and sep stand in for bos and eos of a RobertaProcessing', () => {
  const { of } = convert(
    { 'tokenizer_config.json': { cls_token: '[CLS]', sep_token: '[SEP]' } },
    { type: 'RobertaProcessing', cls: ['[CLS]', 8], sep: ['[SEP]', 9] },
  );
  expect([of('ggml.bos_token_id'), of('ggml.eos_token_id')]).toEqual([8, 9]);
  expect([of('ggml.add_bos_token'), of('ggml.add_eos_token')]).toEqual([true, true]);
});

test('two tokens at one end are more than llama.cpp adds, and adding a missing one is noted', () => {
  expect(convert({}, template('[CLS]', '<s>', null)).notes).toContain('adds ["[CLS]","<s>","..."]');
  const { of, notes } = convert({ 'tokenizer_config.json': { add_bos_token: true } });
  expect(of('ggml.add_bos_token')).toBe(false);
  expect(notes).toContain('A bos token should be added, but there is none');
});

test('named templates get their own keys; the jinja file wins over the config with a note', () => {
  const named = [
    { name: 'default', template: 'D' },
    { name: 'tool use', template: 'T' },
  ];
  const config = { 'tokenizer_config.json': { chat_template: named } };
  const { of } = convert(config);
  expect(of('chat_template')).toBe('D');
  expect(of('chat_template.tool_use')).toBe('T');
  expect(of('chat_templates')).toEqual(['tool_use']);
  const files = new Map([
    ['tokenizer.json', json(tokenizer)],
    ['tokenizer_config.json', json({ chat_template: 'C' })],
    ['chat_template.jinja', new TextEncoder().encode('J')],
    ['additional_chat_templates/rag.jinja', new TextEncoder().encode('R')],
  ]);
  const { metadata, notes } = ggufVocabulary(files);
  expect(metadata.get('tokenizer.chat_template')?.value).toBe('J');
  expect(metadata.get('tokenizer.chat_template.rag')?.value).toBe('R');
  expect(notes.join()).toContain('chat_template.jinja differs');
  expect(() => convert({ 'tokenizer_config.json': { chat_template: 7 } })).toThrow(
    'chat_template is neither a text nor a list',
  );
});
