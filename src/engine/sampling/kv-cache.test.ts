import { expect, it } from 'vitest';
import type { DecoderConfig } from '../model/config.ts';
import { KeyValueCache, PromptCache } from './kv-cache.ts';

const c = { layers: 1, kvHeads: 2, headDim: 1 } as DecoderConfig;

/** [B, 2, count, 1]: numbers that encode sequence, head and time. */
const chunk = (sequences: number, from: number, count: number, sign = 1) => ({
  data: Float32Array.from({ length: sequences * 2 * count }, (_, i) => {
    const [b, k, t] = [Math.floor(i / (2 * count)), Math.floor(i / count) % 2, i % count];
    return sign * (100 * b + 10 * k + from + t);
  }),
  shape: [sequences, 1, 2, 1, count, 1],
});

it('appends chunks head by head and keeps the selected sequences', () => {
  const cache = new KeyValueCache(c, 2, 8);
  for (const [from, count] of [
    [0, 2],
    [2, 3],
  ] as const)
    cache.append({ 'key.0': chunk(2, from, count), 'value.0': chunk(2, from, count, -1) }, count);
  const { 'past_key.0': key, 'past_value.0': value } = cache.feeds([2, 1]);
  expect(key!.shape).toEqual([2, 1, 2, 5, 1]);
  expect([...key!.data]).toEqual([
    ...[0, 1, 2, 3, 4, 10, 11, 12, 13, 14],
    ...[100, 101, 102, 103, 104, 110, 111, 112, 113, 114],
  ]);
  expect([...value!.data]).toEqual([...key!.data].map((x) => -x));

  cache.keep([1]);
  cache.append({ 'key.0': chunk(1, 5, 1), 'value.0': chunk(1, 5, 1) }, 1);
  const left = cache.feeds([1, 1])['past_key.0']!;
  expect([...left.data]).toEqual([100, 101, 102, 103, 104, 5, 110, 111, 112, 113, 114, 15]);
});

it('keeps the selected prompts, in that order', () => {
  const outputs = {
    'key.0': { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2, 1, 1] },
    'value.0': { data: Float32Array.of(6, 5, 4, 3, 2, 1), shape: [3, 2, 1, 1] },
  };
  const cache = new PromptCache(c, outputs);
  cache.keep([2, 0]);
  const { 'prompt_key.0': key } = cache.feeds();
  expect(key).toEqual({ data: Float32Array.of(5, 6, 1, 2), shape: [2, 1, 2, 1, 1] });
});
