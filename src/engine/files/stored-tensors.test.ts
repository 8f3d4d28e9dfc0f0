// Weights under other names than transformers': what saved them, and what no model uses.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeModelFolder } from '../inference/describe-model-folder.ts';
import { parameterSpecs } from '../model/parameters.ts';
import { readModelConfig } from './model-config.ts';
import { readFloat32, readHeader } from './safetensors.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { saveModelFolder } from './save-folder.ts';
import { locateTensors, openWeights, readParameters } from './weights.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const fixture = (name: string) => at(`test/parity/fixtures/${name}`);
const embeddings = 'model.embed_tokens.weight';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-stored-'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await cp(at(`models/policy/${file}`), join(folder, file));
});
afterEach(() => rm(folder, { recursive: true }));

type Tensor = [name: string, shape: number[], data: Float32Array];

/** A fixture's tensors in the folder, changed, under a config, changed. */
async function write(
  name: string,
  change: (tensors: Tensor[]) => Tensor[],
  changes: object = {},
): Promise<void> {
  const file = join(fixture(name), 'model.safetensors');
  const data = await readFloat32(file);
  const tensors = [...(await readHeader(file))].map(
    ([tensor, { shape }]): Tensor => [tensor, shape, data.get(tensor)!],
  );
  await writeFloat32(join(folder, 'model.safetensors'), change(tensors));
  const config = JSON.parse(await readFile(join(fixture(name), 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
}
const rename = (to: (name: string) => string) => (tensors: Tensor[]) =>
  tensors.map(([name, shape, data]): Tensor => [to(name), shape, data]);
const adding =
  (...more: Tensor[]) =>
  (tensors: Tensor[]) => [...tensors, ...more];
const refuses = (message: string) =>
  expect(describeModelFolder(folder)).rejects.toMatchObject({
    kind: 'InvalidModel',
    message: expect.stringContaining(message),
  });

describe('names of weights', () => {
  const wrapped: Record<string, (name: string) => string> = {
    'torch.compile': (name) => `_orig_mod.${name}`,
    'compiled layers': (name) => name.replace(/layers\.\d+\./, '$&_orig_mod.'),
    'data parallelism': (name) => `module.${name}`,
    both: (name) => `module._orig_mod.${name}`,
    'both the other way': (name) => `_orig_mod.module.${name}`,
    'FSDP with activation checkpointing': (name) =>
      `_fsdp_wrapped_module.${name.replace(/layers\.\d+\./, '$&_checkpoint_wrapped_module.')}`,
    'a module around the model': (name) => `model.${name}`,
    'the model without its head': (name) => name.replace(/^model\./, ''),
    'the compiled model without its head': (name) => `_orig_mod.${name.replace(/^model\./, '')}`,
  };
  it.each(
    Object.entries(wrapped).flatMap(([wrapper, to]) =>
      ['qwen2-untied', 'qwen3-classifier', 'llama-bias'].map(
        (name) => [wrapper, name, to] as const,
      ),
    ),
  )('as saved by %s, for %s', async (_, name, to) => {
    await write(name, rename(to));
    const c = await readModelConfig(folder);
    expect(c).toEqual(await readModelConfig(fixture(name)));
    expect(await readParameters(folder, c)).toEqual(await readParameters(fixture(name), c));
    expect((await openWeights(folder, c)).parameters.size).toBe(parameterSpecs(c).length);
  });

  it.each([
    ['qwen2-untied', 'Qwen2ForCausalLM'],
    ['qwen3-classifier', 'Qwen3ForSequenceClassification'],
    ['llama', 'LlamaForCausalLM'],
  ])('tell the task of %s if config.json does not, and are saved for it', async (name, wanted) => {
    await write(
      name,
      rename((tensor) => tensor),
      { architectures: null },
    );
    const decoder = await readModelConfig(folder);
    expect(decoder).toEqual(await readModelConfig(fixture(name)));
    expect(decoder.architecture).toBe(wanted);
    const out = join(folder, 'out');
    await mkdir(out);
    const parameters = await readParameters(folder, decoder);
    const tensors = parameterSpecs(decoder).map(
      (spec): Float32Tensor => [spec.name, spec.shape, parameters.get(spec.name)!],
    );
    await saveModelFolder({ source: folder, out, decoder, tensors });
    const saved = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    expect(saved.architectures).toEqual([wanted]);
    expect(await readModelConfig(out)).toEqual(decoder);
  });

  it('twice for one tensor are refused', async () => {
    await write('qwen2-untied', (tensors) => [
      ...tensors,
      ...rename((name) => `module.${name}`)(tensors.slice(0, 1)),
    ]);
    await refuses('expected tensor lm_head.weight once, found it as module.lm_head.weight and');
  });
});

describe('tensors that the model does not use', () => {
  const ones = (...shape: number[]) =>
    new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(1);
  it.each([
    ['a bias', 'llama', 'model.layers.0.self_attn.q_proj.bias', [32]],
    ["attention's output bias", 'qwen2-untied', 'model.layers.0.self_attn.o_proj.bias', [32]],
    ['norms of queries', 'llama', 'model.layers.1.self_attn.q_norm.weight', [8]],
    ['another layer', 'qwen3', 'model.layers.2.mlp.up_proj.weight', [48, 32]],
    ['experts', 'qwen2-untied', 'model.layers.0.mlp.experts.0.up_proj.weight', [48, 32]],
    ['adapters', 'qwen2-untied', 'model.layers.0.mlp.up_proj.lora_A.weight', [2, 32]],
    ['scales of quantized weights', 'llama', 'model.layers.0.mlp.up_proj.weight_scale', [48]],
    ["a head's bias", 'qwen2-untied', 'lm_head.bias', [64]],
    ['a norm after the MLP', 'qwen3', 'model.layers.0.post_feedforward_layernorm.weight', [32]],
    ['anything unknown', 'llama', 'x', [1]],
  ])('are refused by name: %s', async (_, name, tensor, shape) => {
    await write(name, adding([tensor, shape, ones(...shape)]));
    await refuses(`found ${tensor} [${shape}], which it would not use`);
  });

  it.each([
    ["a classifier's head in a language model", 'qwen2-untied', 'score.weight', [1, 32]],
    ['a value head', 'llama', 'v_head.summary.weight', [1, 32]],
    ["a language model's head in a classifier", 'qwen2-classifier', 'lm_head.weight', [64, 32]],
    ['rotary frequencies', 'llama', 'model.layers.0.self_attn.rotary_emb.inv_freq', [4]],
  ])('are listed, as transformers skips them: %s', async (_, name, tensor, shape) => {
    await write(name, adding([tensor, shape, ones(...shape)]), { mystery: 1 });
    const unused = { tensors: [tensor], keys: ['mystery'] };
    expect(await describeModelFolder(folder)).toMatchObject({ unused });
  });

  it('are none in the fixtures', async () => {
    for (const name of ['llama-bias', 'qwen2-window', 'qwen3-classifier']) {
      const c = await readModelConfig(fixture(name));
      expect((await locateTensors(fixture(name), c)).unused).toEqual([]);
      expect(c.unusedKeys).toEqual([]);
    }
  });
});

describe('tied embeddings', () => {
  it('with a head of other numbers are not tied, and are saved so', async () => {
    await write('qwen2-untied', (tensors) => tensors, { tie_word_embeddings: true });
    const decoder = await readModelConfig(folder);
    expect(decoder.tiedEmbeddings).toBe(false);
    expect(decoder.unusedKeys).toEqual(['tie_word_embeddings']);
    const parameters = await readParameters(folder, decoder);
    const tensors = parameterSpecs(decoder).map(
      (spec): Float32Tensor => [spec.name, spec.shape, parameters.get(spec.name)!],
    );
    const out = join(folder, 'out');
    await mkdir(out);
    await saveModelFolder({ source: folder, out, decoder, tensors });
    const saved = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    expect(saved.tie_word_embeddings).toBe(false);
  });

  it('with a copy of them as head are tied; a later change of the file counts', async () => {
    const copy = (tensors: Tensor[]) =>
      tensors.map(([name, shape, data]): Tensor => {
        const [, , same] = tensors.find(([other]) => other === embeddings)!;
        return [name, shape, name === 'lm_head.weight' ? same : data];
      });
    await write('qwen2-untied', copy, { tie_word_embeddings: true });
    const c = await readModelConfig(folder);
    expect(c.tiedEmbeddings).toBe(true);
    expect((await locateTensors(folder, c)).unused).toEqual(['lm_head.weight']);
    await write('qwen2-untied', (tensors) => tensors, { tie_word_embeddings: true });
    expect((await readModelConfig(folder)).tiedEmbeddings).toBe(false);
  });

  it('may be stored as the head alone', async () => {
    const head = rename((name) => (name === embeddings ? 'lm_head.weight' : name));
    await write('qwen2-window', head);
    const c = await readModelConfig(folder);
    const wanted = await readParameters(fixture('qwen2-window'), c);
    expect(await readParameters(folder, c)).toEqual(wanted);
  });

  it('do not stand in for a missing head or missing embeddings that are not tied', async () => {
    await write('qwen2-window', (tensors) => tensors, { tie_word_embeddings: false });
    await refuses('expected tensor lm_head.weight [64,32], found none of that name');
    await write('qwen2-untied', (tensors) => tensors.filter(([name]) => name !== embeddings));
    await refuses(`expected tensor ${embeddings} [64,32], found none of that name`);
  });

  it('of a classifier do not depend on the head of a language model', async () => {
    const head: Tensor = ['lm_head.weight', [64, 32], new Float32Array(64 * 32)];
    await write('qwen2-classifier', adding(head), { tie_word_embeddings: true });
    expect(await readModelConfig(folder)).toEqual(
      await readModelConfig(fixture('qwen2-classifier')),
    );
  });
});
