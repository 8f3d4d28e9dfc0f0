import { expect, it } from 'vitest';
import { z } from 'zod';
import { lastObject } from './answer-text.ts';

const schema = z.strictObject({ reason: z.string(), points: z.literal([0, 4]) });
const verdict = { reason: 'It has "{" and } in \\ it.', points: 4 };
const other = { reason: 'Not so good.', points: 0 };
const json = JSON.stringify(verdict);
const others = JSON.stringify(other);

it.each([
  ['only JSON', json],
  ['a fence', `Here it is:\n\`\`\`json\n${json}\n\`\`\`\n`],
  ['prose with braces after it', `${json}\nI looked at {a, b} and } too.`],
  ['prose with braces before it', `The body { return } is short, so:\n${json}`],
  ['the same JSON twice', `${json}\n${json}`],
  ['a draft before it', `${others}\nOn reflection:\n${json}`],
  ['reasoning', `<think>{"a": } or ${others}?</think>\n${json}`],
  ['reasoning after it', `${json}\n<think>Or rather ${others}</think>`],
  ['reasoning that the template opened', `Maybe ${others}.\n</think>\n\n${json}`],
  ['two pieces of reasoning', `<think>{</think><reasoning>${others}</reasoning>${json}`],
  ['other objects after it', `${json} {"reason": "x"} {"points": 4} {}`],
  ['an object around it', `{"answer": ${json}}`],
  ['what was cut off after it', `${json}\n{"reason": "It`],
])('finds the verdict in an answer with %s', (_, text) => {
  expect(lastObject(text, schema)).toEqual(verdict);
});

it.each([
  ['nothing', ''],
  ['prose', 'Four points { of } four.'],
  ['an object cut off', json.slice(0, -1)],
  ['a value off the scale', '{"reason": "x", "points": 3}'],
  ['only reasoning', `<think>I would say ${json}`],
  ['reasoning that ended, and no answer', `${json}</think>`],
])('finds none in %s', (_, text) => {
  expect(lastObject(text, schema)).toBeUndefined();
});

it('is quick for text full of braces', () => {
  expect(lastObject('{"a":'.repeat(20_000), schema)).toBeUndefined();
});
