import { expect, test } from 'vitest';
import golden from '../../test/golden/tokenizer/chat-templates.json' with { type: 'json' };
import { renderChat } from './chat-template.ts';

const user = [{ role: 'user', content: 'Hi' }];

test(`templates render as in Python (${golden.source}), with and without a generation prompt`, () => {
  for (const { template, addGenerationPrompt, rendered } of golden.cases) {
    const options = {
      bosToken: '<s>',
      eosToken: '</s>',
      addGenerationPrompt,
      ...(template.includes('tools') && { tools: golden.tools }),
    };
    expect(renderChat(template, golden.messages, options)).toBe(rendered);
  }
});

test('the date is the caller’s, so that a prompt can be repeated', () => {
  const template = "{{ strftime_now('%d %B %Y %H:%M, %b %m %% %Q') }}";
  const options = { date: new Date(2026, 1, 3, 4, 5) };
  expect(renderChat(template, user, options)).toBe('03 February 2026 04:05, Feb 02 % %Q');
});

test('variables reach the template, tools are none unless given', () => {
  const template = '{{ tools is none }} {{ enable_thinking }} {{ True }} {{ none is none }}';
  expect(renderChat(template, user, { variables: { enable_thinking: false } })).toBe(
    'true false true true',
  );
});

test('a template that is not Jinja is corrupt; one that refuses the messages says why', () => {
  expect(() => renderChat('{% for %}', user)).toThrow('is not valid Jinja');
  const picky = "{{ raise_exception('Roles must alternate') }}";
  expect(() => renderChat(picky, user)).toThrow('refuses these messages: Roles must alternate');
  expect(() => renderChat('{{ messages.missing() }}', user)).toThrow('The chat template failed');
});

test('range stops at 100,000 numbers, as in jinja2’s sandbox, and counts down too', () => {
  expect(() => renderChat('{{ range(1000000000) }}', user)).toThrow('range() of 1000000000');
  expect(() => renderChat('{{ range(0, 5, 0) }}', user)).toThrow('range()');
  expect(renderChat('{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}', user)).toBe('531');
});
