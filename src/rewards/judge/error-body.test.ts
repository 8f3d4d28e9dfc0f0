import { expect, it } from 'vitest';
import { faultStatus, messageIn } from './error-body.ts';

const say = (body: unknown) => messageIn(JSON.stringify(body));
const text = 'The model is overloaded.';

it.each([
  ['OpenAI', { error: { message: text, type: 'server_error', code: null } }],
  ['Ollama', { error: text }],
  ['Anthropic', { type: 'error', error: { type: 'overloaded_error', message: text } }],
  ['vLLM', { object: 'error', message: text, type: 'BadRequestError', code: 400 }],
  ['FastAPI', { detail: text }],
  ['a plain message', { message: text }],
  ['Google', [{ error: { code: 503, message: text, status: 'UNAVAILABLE' } }]],
  ['a list of texts', { errors: [text] }],
  ['OpenRouter', { choices: [{ error: { code: 502, message: text }, finish_reason: 'error' }] }],
  ['RFC 9457', { type: 'about:blank', title: 'Overloaded', detail: text, status: 503 }],
  ['an error in an error', { error: { error: { message: text } } }],
  ['a detail with a message', { detail: { message: text } }],
  ['a text', text],
])('finds the message of %s', (_, body) => {
  expect(say(body)).toBe(text);
});

it('says where FastAPI found what is wrong', () => {
  const detail = [
    { type: 'missing', loc: ['body', 'messages', 0], msg: 'Field required', input: { a: 1 } },
    { type: 'extra', loc: ['body', 'top_q'], msg: 'Extra inputs' },
  ];
  expect(say({ detail })).toBe('body.messages.0: Field required; body.top_q: Extra inputs');
});

it.each([
  ['', ''],
  [' \n', ''],
  ['upstream connect error', 'upstream connect error'],
  ['{"unknown": "shape"}', '{"unknown": "shape"}'],
  ['{"error": {}}', '{"error": {}}'],
  ['{"error": "cut o', '{"error": "cut o'],
  [
    '<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>b{}</style></head>\n' +
      '<body><h1>Bad\nGateway</h1><!-- a --><script>let x = "<b>";</script></body></html>',
    '502 Bad Gateway Bad Gateway',
  ],
  ['a\u001b[31m\r\nb\u0000c', 'a [31m b c'],
])('reads %j', (body, expected) => {
  expect(messageIn(body)).toBe(expected);
});

it('is bounded, whatever the answer', () => {
  expect(messageIn('😀'.repeat(1000))).toBe(`${'😀'.repeat(300)} …`);
  expect(say({ error: 'x'.repeat(1e6) })).toHaveLength(302);
  const deep = `${'{"error":'.repeat(5000)}1${'}'.repeat(5000)}`;
  expect(messageIn(deep).length).toBeLessThan(310);
  for (const piece of ['<', '<!--', '<script>'])
    expect(messageIn(`<html>${piece.repeat(1e6)}`).length).toBeLessThan(310);
  expect(messageIn('<'.repeat(100_000)).length).toBeLessThan(310);
});

it.each([
  [200, { choices: [{ message: { content: '{}' } }] }, null],
  [200, { choices: [{ message: { content: '' } }], error: null }, null],
  [200, { content: [{ type: 'text', text: '{}' }] }, null],
  [200, { error: { code: 429, message: text } }, 429],
  [200, { choices: [{ message: { content: '' }, error: { code: 502 } }] }, 502],
  [200, { object: 'error', code: 404 }, 404],
  [200, { error: { code: 'rate_limit' } }, 200],
  [200, { choices: [] }, 200],
  [200, 'a text', 200],
])('the status of %d with %j', (status, body, expected) => {
  expect(faultStatus(status, JSON.stringify(body))).toBe(expected);
});
