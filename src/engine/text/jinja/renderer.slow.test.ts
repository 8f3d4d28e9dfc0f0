// Templates that take too long, need too much or reach for more than they are given. What templates
// render is compared with transformers in test/parity/templates.test.ts.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderTemplate } from './renderer.ts';

const user = { messages: [{ role: 'user', content: 'Hello' }] };
const outcomeOf = (template: string) => renderTemplate(template, [user]);
const greet = '{{ messages[0].content }}!';

beforeAll(async () => {
  expect(await outcomeOf(greet)).toEqual({ texts: ['Hello!'] });
});

const loop = (range: string, body: string) => `{% for i in range(${range}) %}${body}{% endfor %}`;

describe('a template is ended', () => {
  it.each([
    ['nested loops', loop('10000', loop('10000', loop('10000', '')))],
    ['many words', '{{ lipsum(n=100000) }}'],
    ['a long text', "{{ 'a' * 1000000000 }}"],
    ['a wide number', "{{ '%01000000000d' % 1 }}"],
    [
      'a text that doubles',
      `{% set n = namespace(x='ab') %}${loop('60', '{% set n.x = n.x ~ n.x %}')}`,
    ],
    ['much output', loop('100000', 'a'.repeat(100))],
    [
      'a number that is squared',
      `{% set n = namespace(x=3) %}${loop('40', '{% set n.x = n.x * n.x %}')}`,
    ],
    ['a long division', "{{ ('f' * 4000000) | int(base=16) // ('e' * 2000000) | int(base=16) }}"],
    ['a large power', '{{ (2 ** 16000) ** 16000 }}'],
    ['a macro without end', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    ['deep nesting', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`],
    ['deep lists', `{{ ${'['.repeat(50_000)}1${']'.repeat(50_000)} }}`],
  ])('%s', async (_, template) => {
    expect(await outcomeOf(template)).toMatchObject({
      failure: expect.stringMatching(/^(limit|memory)$/),
    });
    expect(await outcomeOf(greet)).toEqual({ texts: ['Hello!'] });
  });

  it('by its steps: the same ones every time, shared by the texts of a call', async () => {
    const template = loop('1000', loop('1000', ''));
    expect(await renderTemplate(template, new Array(2).fill(user))).toEqual({ texts: ['', ''] });
    const many = renderTemplate(template, new Array(64).fill(user));
    expect(await many).toMatchObject({ failure: 'limit', reason: 'it takes too long' });
  });
});

it('a template may go through every character of long messages', async () => {
  const content = 'x'.repeat(4000);
  const each = new Array(64).fill({ messages: [{ role: 'user', content }] });
  const template =
    '{% for c in messages[0].content %}{% if c != " " %}{{ c }}{% endif %}{% endfor %}';
  expect(await renderTemplate(template, each)).toEqual({ texts: new Array(64).fill(content) });
});

it.each([
  ['{{ raise_exception(1) }}', '1'],
  ['{{ raise_exception([none]) }}', '[None]'],
  ["{{ raise_exception('') }}", 'TemplateError'],
])('%s is refused with its message', async (template, reason) => {
  expect(await outcomeOf(template)).toEqual({ failure: 'refused', reason });
});

it.each([
  ["{{ ''['__class__']['__mro__'] }}"],
  ["{{ cycler.__init__.__globals__['os'].environ }}"],
  ['{{ messages.__class__.__base__.__subclasses__() }}'],
  ["{{ '{0.__class__.__mro__}'.format(messages) }}"],
  ["{{ ('{0.__class__.__mro__}' | string).format(messages) }}"],
  ['{{ raise_exception.__globals__.json }}'],
  ["{% import 'os' as os %}{{ os }}"],
  ['{{ dict.__class__.mro() }}'],
])('the sandbox refuses %s', async (template) => {
  expect(await outcomeOf(template)).toMatchObject({ failure: 'refused' });
});

it.each([
  [
    'jinja2-3.1.6-py3-none-any.whl',
    '85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67',
  ],
  ['markupsafe-3.0.4.tar.gz', '2e9ad7dd851bf45fab9f75cbff4cb493fee9979e8d8c7c9c3ee119022518edd6'],
])('%s is the file that PyPI has', (name, sha256) => {
  const bytes = readFileSync(new URL(name, import.meta.url));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
});
