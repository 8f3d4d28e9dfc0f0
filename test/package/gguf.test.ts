// Exported models in llama.cpp: the same tokens for a text, and the same greedy continuation.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/config/paths.ts';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { openPolicyFolder } from '../../src/engine/files/policy-folder.ts';
import { writeFloat32 } from '../../src/engine/files/safetensors-writer.ts';
import { exportGguf } from '../../src/engine/inference/export-gguf.ts';
import { mergeAdapters } from '../../src/engine/inference/merge.ts';
import { Sampler } from '../../src/engine/inference/sampler.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { readTokenizer } from '../../src/engine/text/tokenizer.ts';
import { type LoadedGguf, llamaCpp } from '../llama-cpp.ts';

const fixtures = join(packageRoot, 'test/parity/fixtures');
const layouts = join(fixtures, 'tokenizer-layouts');
const policy = join(packageRoot, 'models/policy');
const engine = { device: 'cpu', threads: 1, shard_prompts: 1 } as const;

let scratch: string;
let load: (path: string) => Promise<LoadedGguf>;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'anneal-gguf-'));
  load = await llamaCpp();
}, 600_000);
afterAll(() => rm(scratch, { recursive: true }));

const shape = {
  ...{ hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, head_dim: 16 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 256 },
};
const llama = { architectures: ['LlamaForCausalLM'], ...shape };
const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };

/** Models of every family, with a tokenizer of every layout that llama.cpp has. */
const models: Record<string, { config: object; layout: string }> = {
  Qwen2: {
    config: { architectures: ['Qwen2ForCausalLM'], ...shape, tie_word_embeddings: true },
    layout: 'smollm2',
  },
  Qwen3: { config: { architectures: ['Qwen3ForCausalLM'], ...shape }, layout: 'gpt2' },
  Llama: { config: { ...llama, rope_theta: 1e6 }, layout: 'llama2' },
  'Llama 3.1': {
    config: {
      ...llama,
      rope_scaling: { ...llama3, original_max_position_embeddings: 32 },
    },
    layout: 'deepseek-coder',
  },
  'Llama with linear scaling': {
    config: { ...llama, rope_scaling: { rope_type: 'linear', factor: 2 } },
    layout: 'mistral',
  },
  'Llama with biases and as many key-value heads': {
    config: { ...llama, attention_bias: true, mlp_bias: true, num_key_value_heads: 4 },
    layout: 'gemma',
  },
};

/** A folder with random weights, and five embeddings more than the tokenizer has tokens. */
async function modelFolder({ config, layout }: { config: object; layout: string }) {
  const folder = await mkdtemp(join(scratch, 'model-'));
  await cp(join(layouts, layout), folder, { recursive: true });
  const { vocabSize } = await readTokenizer(folder);
  const json = JSON.stringify({ ...config, vocab_size: vocabSize + 5 });
  await writeFile(join(folder, 'config.json'), json);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const tensors = parameterSpecs(await readModelConfig(folder)).map(({ name, shape }) => {
    const size = shape.reduce((count, length) => count * length, 1);
    const around = name.includes('norm') ? 1 : 0;
    return [
      name,
      shape,
      Float32Array.from({ length: size }, () => around + 0.5 * random()),
    ] as const;
  });
  await writeFloat32(join(folder, 'model.safetensors'), tensors);
  return folder;
}

async function greedyHere(folder: string, prompt: string) {
  const sampler = await Sampler.open(await openPolicyFolder(folder), engine);
  const [sample] = await sampler.sample({
    ...{ engine, model: folder, prompts: [{ id: 'it', prompt }], samplesPerPrompt: 1 },
    draw: { temperature: 0, topK: null, topP: 1, minP: 0 },
    ...{ maxNewTokens: 64, stopStrings: [], seed: 0, stream: 'train/1' },
    promptFormat: { kind: 'plain', bos: false },
  });
  await sampler.close();
  return sample!.tokens;
}

describe.each(Object.entries(models))('%s', (_, made) => {
  it('continues a prompt with the same 64 tokens', async () => {
    const folder = await modelFolder(made);
    const prompt = 'def f(x):\n    return x';
    const tokens = await greedyHere(folder, prompt);
    const { file } = await exportGguf(folder, join(folder, 'gguf/model.gguf'), 'f32');
    const loaded = await load(file);
    const ids = await (await readTokenizer(folder)).encode(prompt);
    expect(tokens).toHaveLength(64);
    expect(new Set(tokens).size).toBeGreaterThan(8);
    expect(await loaded.greedy(ids, 64)).toEqual(tokens);
    await loaded.close();
  });
});

it('the embedded policy: the same text, the first tokens in every type', async () => {
  const prompt = '// Return the sum of values.\n// sum(values)\n';
  const tokens = await greedyHere(policy, prompt);
  const tokenizer = await readTokenizer(policy);
  const ids = await tokenizer.encode(prompt);
  for (const type of ['f32', 'f16', 'bf16', 'q8_0'] as const) {
    const { file } = await exportGguf(policy, join(scratch, `${type}/policy.gguf`), type);
    const loaded = await load(file);
    expect(loaded.tokenize(prompt)).toEqual(ids);
    const there = (await loaded.greedy(ids, 64)).slice(0, type === 'f32' ? tokens.length : 8);
    expect(there).toEqual(tokens.slice(0, there.length));
    await loaded.close();
  }
});

/**
 * Layouts, with the texts that have other tokens in llama.cpp: for some it puts a space before a text
 * that begins with one and after special tokens, and no token takes the white space beside it.
 */
const runnable: [layout: string, differing: RegExp | null][] = [
  ['gpt2', null],
  ['smollm2', null],
  ['deepseek-coder', null],
  ['named-tokens', null],
  ['normalized', null],
  ['llama2', null],
  ['gemma', null],
  ['mistral', /^ |<s>/],
  ['metaspace-first', /^ |<s>/],
  ['strips', /<mark>/],
  ['added-tokens-decoder', /<mark>/],
];

it.each(runnable)('%s: the same tokens for every text but %s', async (layout, known) => {
  const folder = await modelFolder({ config: llama, layout });
  const { file } = await exportGguf(folder, join(folder, 'model.gguf'), 'f16');
  const loaded = await load(file);
  const tokenizer = await readTokenizer(folder);
  const { texts } = JSON.parse(await readFile(join(layouts, layout, 'expected.json'), 'utf8'));
  const differing = [];
  const compared = texts.filter(({ text }: { text: string }) => !known?.test(text));
  expect(compared.length).toBeGreaterThan(3);
  for (const { text } of compared) {
    const [here, there] = [await tokenizer.encode(text), loaded.tokenize(text)];
    if (String(here) !== String(there)) differing.push({ text, here, there });
  }
  await loaded.close();
  expect(differing).toEqual([]);
});

it('adapters give the file of the merged model', async () => {
  const [base, adapters, merged] = ['llama-bias', 'lora-llama', 'merged/lora-llama'].map((name) =>
    join(scratch, name),
  ) as [string, string, string];
  await cp(join(fixtures, 'llama-bias'), base, { recursive: true });
  await cp(join(layouts, 'gpt2'), base, { recursive: true });
  await cp(join(fixtures, 'lora-llama'), adapters, { recursive: true });
  await mkdir(merged, { recursive: true });
  await mergeAdapters(adapters, merged);
  const files = await Promise.all(
    [adapters, merged].map((folder, i) =>
      exportGguf(folder, join(scratch, `${i}/model.gguf`), 'f32'),
    ),
  );
  const [direct, viaMerged] = await Promise.all(files.map(({ file }) => readFile(file)));
  expect(direct!.equals(viaMerged!)).toBe(true);
});

it.each(['unigram', 'digits-together'])('refuses a tokenizer: %s', async (layout) => {
  const folder = await modelFolder({ config: llama, layout });
  const out = join(folder, 'out/model.gguf');
  await expect(exportGguf(folder, out, 'f32')).rejects.toMatchObject({ kind: 'InvalidModel' });
});
