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

  it('a window of 4096 tokens where it is on, and none where it is null', async () => {
    const on = { use_sliding_window: true, max_window_layers: 29 };
    const windows = [...new Array(29).fill(undefined), 4096];
    expect(await read(on)).toMatchObject({ windows });
    const { windows: none } = await read({ ...on, sliding_window: null });
    expect(none).toEqual(new Array(30).fill(undefined));
  });

  it('context: 2048 tokens for Llama, 32,768 for the others', async () => {
    expect(await read(llama)).toMatchObject({ maxPositions: 2048 });
    expect(await read(qwen3)).toMatchObject({ maxPositions: 32_768 });
    expect(await read({ max_position_embeddings: 9 })).toMatchObject({ maxPositions: 9 });
  });

  it("Llama 3.1's first context: the file's, else that of rope, else the model's", async () => {
    const rope = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const original = async (changes: object) => (await read({ ...llama, ...changes })).ropeScaling;
    const max_position_embeddings = 64;
    const of = (originalMaxPositions: number) =>
      expect.objectContaining({ kind: 'llama3', originalMaxPositions });
    expect(await original({ max_position_embeddings, rope_scaling: rope })).toEqual(of(64));
    const rope_scaling = { ...rope, original_max_position_embeddings: 32 };
    expect(await original({ rope_scaling })).toEqual(of(32));
    expect(await original({ original_max_position_embeddings: 16, rope_scaling })).toEqual(of(16));
  });

  it('rope: an empty rope_scaling is none', async () => {
    const rope_parameters = { rope_type: 'linear', factor: 2, partial_rotary_factor: null };
    expect(await read({ rope_scaling: {}, rope_parameters })).toMatchObject({
      ropeScaling: { kind: 'linear', factor: 2 },
    });
  });

  it('activation: SiLU, under both of its names', async () => {
    expect(await read({ hidden_act: 'swish' })).toEqual(await read({}));
  });

  it('labels: those that are named, else num_labels, else two', async () => {
    const classifier = { architectures: ['Qwen2ForSequenceClassification'] };
    expect(await read(classifier)).toMatchObject({ labels: 2 });
    expect(await read({ ...classifier, num_labels: 1 })).toMatchObject({ labels: 1 });
    const id2label = { 0: 'a', 1: 'b', 2: 'c' };
    expect(await read({ ...classifier, num_labels: 1, id2label })).toMatchObject({ labels: 3 });
  });

  it('architecture: that of the model type', async () => {
    for (const architectures of [null, undefined, [], ['LlamaModel']])
      expect(await read({ architectures, model_type: 'llama' })).toMatchObject({
        architecture: 'LlamaForCausalLM',
      });
  });

  it('base of rotary positions: from rope_parameters, else rope_theta, else 10,000', async () => {
    expect(await read({})).toMatchObject({ ropeTheta: 10_000 });
    expect(await read({ rope_theta: 5 })).toMatchObject({ ropeTheta: 5 });
    const rope_parameters = { rope_theta: 7, rope_type: 'default' };
    expect(await read({ rope_theta: 5, rope_parameters })).toMatchObject({ ropeTheta: 7 });
  });
});

describe('names keys that are set and not read:', () => {
  it.each([
    ['unknown ones', {}, { mystery: 3, auto_map: { AutoModel: 'x.py' } }, ['auto_map', 'mystery']],
    ['dropout', {}, { attention_dropout: 0.1 }, ['attention_dropout']],
    [
      'those of another kind of rope',
      {},
      { rope_scaling: { type: 'default', factor: 4, beta_fast: 32 } },
      ['rope_scaling.beta_fast', 'rope_scaling.factor'],
    ],
    ['windows for Llama', llama, { sliding_window: 6 }, ['sliding_window']],
    ['biases of attention for Qwen2', {}, { attention_bias: true }, ['attention_bias']],
  ])('%s', async (_, architecture, keys, unusedKeys) => {
    expect(await read({ ...architecture, ...keys })).toMatchObject({ unusedKeys });
  });

  it('none that is off, that keeps the books, or that directs generation', async () => {
    const keys = {
      mystery: null,
      other: false,
      more: [],
      attention_dropout: 0.0,
      _name_or_path: 'x',
      transformers_version: '5',
      torch_dtype: 'bfloat16',
      temperature: 0.7,
      bos_token_id: 3,
      initializer_range: 0.02,
      use_cache: true,
    };
    expect(await read(keys)).toMatchObject({ unusedKeys: [] });
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
    'another activation': [{ hidden_act: 'gelu' }, "hidden_act 'gelu'", 'silu, swish'],
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
    'layers with a window that has no size': [
      { ...sliding, sliding_window: null, layer_types: new Array(30).fill('sliding_attention') },
      "layer_types 'sliding_attention' without a window",
      'use_sliding_window with sliding_window, a number of tokens',
    ],
    'layers with a window that is off': [
      { sliding_window: 6, layer_types: new Array(30).fill('sliding_attention') },
      "layer_types 'sliding_attention' without a window",
      'use_sliding_window with sliding_window, a number of tokens',
    ],
    'an architecture of another model type': [
      { ...llama, model_type: 'mistral' },
      "architecture 'LlamaForCausalLM' with model_type 'mistral'",
      'llama',
    ],
    'no architecture and another model type': [
      { architectures: null, model_type: 'gemma2' },
      'model_type gemma2',
      'Qwen2ForCausalLM',
    ],
    'neither of the two': [{ architectures: [] }, 'model_type undefined', 'Qwen2ForCausalLM'],
    'positions in three dimensions': [
      { rope_scaling: { type: 'default', mrope_section: [16, 24, 24] } },
      'mrope_section',
      'one position for each token',
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

  it.each(
    Object.entries({
      attention_multiplier: 0.0078125,
      attn_logit_softcapping: 50,
      clip_qkv: 8,
      embedding_multiplier: 12,
      final_logit_softcapping: 30,
      is_causal: false,
      logit_scale: 0.0625,
      logits_scaling: 8,
      n_routed_experts: 64,
      no_rope_layers: [1, 1, 0],
      num_experts: 60,
      num_local_experts: 8,
      per_layer_config: { 0: { head_dim: 4 } },
      query_pre_attn_scalar: 144,
      residual_multiplier: 0.22,
      rope_interleave: true,
      use_bidirectional_attention: true,
      use_qk_norm: true,
    }),
  )('%s, which changes what other models compute', async (key, value) => {
    const found = `found ${key} ${JSON.stringify(value)}; supported: `;
    for (const architecture of [{}, qwen3, llama])
      await expect(read({ ...architecture, [key]: value })).rejects.toThrow(found);
    for (const off of key === 'is_causal' ? [null, true] : [null, false, 0, []])
      expect(await read({ [key]: off })).toMatchObject({ unusedKeys: [] });
  });

  it('a file nested too deeply to be written again', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    await writeFile(join(folder, 'config.json'), `{"x": ${deep}}`);
    await expect(readModelConfig(folder)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining('lists and objects within each other'),
    });
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
