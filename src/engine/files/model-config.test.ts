import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelConfig } from './model-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

const config = {
  architectures: ['Qwen2ForCausalLM'],
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 30,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 64,
};

async function read(changes: object) {
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
  return readModelConfig(folder);
}
const qwen3 = { architectures: ['Qwen3ForCausalLM'] };
const llama = { architectures: ['LlamaForCausalLM'] };

describe('defaults are those of transformers', () => {
  it('key-value heads: as many as heads', async () => {
    expect(await read({ num_key_value_heads: null })).toMatchObject({ kvHeads: 4 });
  });

  it('head size: width divided by heads, 128 for Qwen3', async () => {
    expect(await read({})).toMatchObject({ headDim: 8 });
    expect(await read(qwen3)).toMatchObject({ headDim: 128 });
  });

  it('first layer with a sliding window: the 29th; Llama has none', async () => {
    const sliding = { use_sliding_window: true, sliding_window: 6 };
    const windows = [...new Array(28).fill(undefined), 6, 6];
    expect(await read(sliding)).toMatchObject({ windows });
    expect((await read({ ...llama, ...sliding })).windows).toEqual(new Array(30).fill(undefined));
  });

  it('base of rotary positions: from rope_parameters, else rope_theta, else 10,000', async () => {
    expect(await read({})).toMatchObject({ ropeTheta: 10_000 });
    expect(await read({ rope_theta: 5 })).toMatchObject({ ropeTheta: 5 });
    const rope_parameters = { rope_theta: 7, rope_type: 'default' };
    expect(await read({ rope_theta: 5, rope_parameters })).toMatchObject({ ropeTheta: 7 });
  });
});

describe('refuses, with the file, what was found and what is supported,', () => {
  const sliding = { use_sliding_window: true, sliding_window: 6 };
  const cases: Record<string, [changes: object, found: string, supported: string]> = {
    'another architecture': [
      { architectures: ['GPT2LMHeadModel'] },
      "architecture 'GPT2LMHeadModel'",
      'Qwen2ForCausalLM, Qwen2ForSequenceClassification, Qwen3ForCausalLM',
    ],
    'another head': [
      { architectures: ['LlamaForTokenClassification'] },
      "architecture 'LlamaForTokenClassification'",
      'LlamaForCausalLM',
    ],
    'another activation': [{ hidden_act: 'gelu' }, "hidden_act 'gelu'", 'silu'],
    'quantized weights': [
      { quantization_config: { quant_method: 'gptq' } },
      'quantization_config',
      'weights in float32, float16 or bfloat16',
    ],
    'another rope': [
      { rope_scaling: { type: 'yarn', factor: 4 } },
      "rope_type 'yarn'",
      'default, linear, llama3',
    ],
    'a rope without its factor': [
      { rope_scaling: { type: 'linear' } },
      "rope_type 'linear' without factor",
      'a number',
    ],
    'different ropes for different layers': [
      { rope_parameters: { full_attention: { rope_type: 'default' } } },
      'rope_parameters of full_attention',
      'one rope for all layers',
    ],
    'rotary positions in only part of a head': [
      { partial_rotary_factor: 0.5 },
      'partial_rotary_factor 0.5',
      '1',
    ],
    'the same in rope_parameters': [
      { rope_parameters: { partial_rotary_factor: 0.25 } },
      'partial_rotary_factor 0.25',
      '1',
    ],
    'another kind of layer': [
      { ...sliding, layer_types: new Array(30).fill('chunked_attention') },
      "layer_types 'chunked_attention'",
      'full_attention, sliding_attention',
    ],
    'a wrong number of layer kinds': [
      { ...sliding, layer_types: ['full_attention'] },
      '1 layer_types',
      '30',
    ],
    'a window without a size': [
      { ...sliding, sliding_window: null },
      'use_sliding_window without sliding_window',
      'a number of tokens',
    ],
    'heads that cannot share key-value heads evenly': [
      { num_key_value_heads: 3 },
      '4 heads over 3 key-value heads',
      'a multiple of the key-value heads',
    ],
    'heads of an odd size': [{ hidden_size: 36 }, 'head size 9', 'an even whole number'],
  };
  it.each(Object.entries(cases))('%s', async (_, [changes, found, supported]) => {
    const attempt = read(changes);
    await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
    await expect(attempt).rejects.toThrow(
      `${join(folder, 'config.json')}: found ${found}; supported: `,
    );
    await expect(attempt).rejects.toThrow(supported);
  });

  it('no config.json', async () => {
    await expect(readModelConfig(folder)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(`found no ${join(folder, 'config.json')}`),
    });
  });

  it('a value of another type, naming its key', async () => {
    await expect(read({ hidden_size: '32' })).rejects.toThrow(/config\.json: .*\n.*at hidden_size/);
  });
});
