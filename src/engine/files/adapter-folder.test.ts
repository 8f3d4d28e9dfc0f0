// adapter_config.json as PEFT's users write it: which modules it selects, and what is refused.
// test/parity/lora.test.ts compares what the adapters compute.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adapterTargets } from '../../config/schema/model.ts';
import { adaptedModules } from '../model/lora.ts';
import { readAdapters } from './adapter-folder.ts';
import { openPolicyFolder } from './policy-folder.ts';
import { readFloat32, readHeader } from './safetensors.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/parity/fixtures/${name}`, import.meta.url));
const weights = 'adapter_model.safetensors';
const all = adapterTargets.map((target) => target);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-adapters-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A fixture's adapters under a changed config. */
async function write(changes: object, name = 'lora-qwen2'): Promise<void> {
  await cp(join(fixture(name), weights), join(folder, weights));
  const config = JSON.parse(await readFile(join(fixture(name), 'adapter_config.json'), 'utf8'));
  const base = { base_model_name_or_path: fixture(config.base_model_name_or_path.slice(3)) };
  const text = JSON.stringify({ ...config, ...base, ...changes });
  await writeFile(join(folder, 'adapter_config.json'), text);
}

/** The fixture's matrices, changed. */
async function writeMatrices(change: (name: string) => string | null): Promise<void> {
  const file = join(fixture('lora-qwen2'), weights);
  const data = await readFloat32(file);
  const tensors = [...(await readHeader(file))].flatMap(([name, { shape }]): Float32Tensor[] => {
    const changed = change(name);
    return changed === null ? [] : [[changed, shape, data.get(name)!]];
  });
  await writeFloat32(join(folder, weights), tensors);
}

async function selected(changes: object): Promise<string[]> {
  await write(changes);
  const { config, lora } = await openPolicyFolder(folder);
  return adaptedModules(config, lora!).map(({ module }) => module.replace('model.layers.', ''));
}
const both = (...names: string[]) => [0, 1].flatMap((i) => names.map((name) => `${i}.${name}`));

describe('target_modules', () => {
  it.each<[string, object, string[]]>([
    ['ends of names', { target_modules: ['q_proj'] }, both('self_attn.q_proj')],
    [
      'longer ends',
      { target_modules: ['self_attn.v_proj', 'mlp.up_proj'] },
      both('self_attn.v_proj', 'mlp.up_proj'),
    ],
    ['whole names', { target_modules: ['model.layers.1.mlp.up_proj'] }, ['1.mlp.up_proj']],
    [
      'layers',
      { target_modules: ['q_proj', 'up_proj'], layers_to_transform: [1], layers_pattern: 'layers' },
      ['1.self_attn.q_proj', '1.mlp.up_proj'],
    ],
    ['one layer', { target_modules: ['q_proj'], layers_to_transform: 0 }, ['0.self_attn.q_proj']],
    [
      'exclusions',
      {
        target_modules: ['q_proj', 'k_proj'],
        exclude_modules: ['k_proj', 'layers.0.self_attn.q_proj'],
      },
      ['1.self_attn.q_proj'],
    ],
    [
      'all linear layers',
      { target_modules: 'all-linear', exclude_modules: all.filter((name) => name !== 'o_proj') },
      both('self_attn.o_proj'),
    ],
  ])('as %s', async (_, changes, modules) => {
    expect(await selected(changes)).toEqual(modules);
  });

  it('as a regular expression are those with weights; it is not run', async () => {
    await write({ target_modules: '(.*)*(.*)*[qk]_proj$' });
    await writeMatrices((name) => (/layers\.0.*[qk]_proj/.test(name) ? name : null));
    const { config, lora } = await openPolicyFolder(folder);
    expect(lora).toEqual({
      rank: 4,
      alpha: 8,
      targets: ['q_proj', 'k_proj'],
      modules: ['model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.k_proj'],
    });
    expect((await readAdapters(folder, config, lora!)).size).toBe(4);
  });

  it('as a list of every module is the same as their targets', async () => {
    const whole = both('self_attn.q_proj', 'mlp.down_proj').map((name) => `model.layers.${name}`);
    await write({ target_modules: whole });
    const { lora } = await openPolicyFolder(folder);
    expect(lora).toEqual({ rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'] });
  });
});

it.each<[string, (name: string) => string]>([
  ['torch.compile', (name) => name.replace('base_model.model.', '$&_orig_mod.')],
  [
    'a base without its head',
    (name) => name.replace('base_model.model.model.', 'base_model.model.'),
  ],
])('reads matrices named by %s', async (_, rename) => {
  await write({});
  await writeMatrices(rename);
  const { config, lora } = await openPolicyFolder(folder);
  const found = await readAdapters(folder, config, lora!);
  expect(found).toEqual(await readAdapters(fixture('lora-qwen2'), config, lora!));
});

describe('refuses by name', () => {
  it.each<[string, unknown]>([
    ['bias', 'lora_only'],
    ['use_dora', true],
    ['use_qalora', true],
    ['lora_bias', true],
    ['fan_in_fan_out', true],
    ['rank_pattern', { q_proj: 2 }],
    ['alpha_pattern', { q_proj: 2 }],
    ['layers_pattern', 'blocks'],
    ['layer_replication', [[0, 1]]],
    ['target_parameters', ['mlp.up_proj.weight']],
    ['trainable_token_indices', [3]],
    ['modules_to_save', ['lm_head']],
    ['modules_to_save', ['score', 'embed_tokens']],
    ['init_lora_weights', 'pissa'],
    ['init_lora_weights', 'olora'],
    ['alora_invocation_tokens', [1, 2]],
    ['arrow_config', { top_k: 2 }],
    ['use_bdlora', { target_modules_bd_a: ['q_proj'] }],
    ['an_option_of_tomorrow', 'on'],
    ['constructor', true],
  ])('%s %j', async (key, value) => {
    await write({ [key]: value });
    const attempt = openPolicyFolder(folder);
    await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
    await expect(attempt).rejects.toThrow(
      new RegExp(`adapter_config.json: expected ${key} .*found .*; merge the adapter with PEFT`),
    );
  });

  it.each(['LOHA', 'IA3'])('adapters of kind %s', async (peft_type) => {
    await write({ peft_type });
    await expect(openPolicyFolder(folder)).rejects.toThrow(/adapter_config\.json: .*\n.*peft_type/);
  });

  it('targets that the engine cannot adapt', async () => {
    await write({ target_modules: ['embed_tokens'] });
    await expect(openPolicyFolder(folder)).rejects.toThrow(
      'expected target_modules with at least one of q_proj',
    );
  });

  it.each([
    [
      'a matrix of a module that is no target',
      { target_modules: ['q_proj'] },
      (name: string) => name,
    ],
    [
      'an adapter over the embeddings',
      {},
      (name: string) =>
        name.replace(/model\.layers\.0.*up_proj\.lora_A\.weight/, 'x.lora_embedding_A'),
    ],
    [
      'magnitudes of DoRA',
      {},
      (name: string) => name.replace(/up_proj\.lora_B\.weight/, 'up_proj.lora_magnitude_vector'),
    ],
  ])('%s', async (_, changes, rename) => {
    await write(changes);
    await writeMatrices(rename);
    const { config, lora } = await openPolicyFolder(folder);
    await expect(readAdapters(folder, config, lora!)).rejects.toThrow(
      /adapter_model\.safetensors: expected only the adapters .* found base_model\.model\.\S+ \[/,
    );
  });

  it('a missing matrix, and one of another rank', async () => {
    await write({});
    await writeMatrices((name) => (name.includes('1.mlp.up_proj.lora_B') ? null : name));
    const { config, lora } = await openPolicyFolder(folder);
    await expect(readAdapters(folder, config, lora!)).rejects.toThrow(
      'expected tensor model.layers.1.mlp.up_proj.lora_B.weight [48,4], found none',
    );
    await write({ r: 3 });
    const { lora: other } = await openPolicyFolder(folder);
    await expect(readAdapters(folder, config, other!)).rejects.toThrow(
      'lora_A.weight [3,32], found shape [4,32]',
    );
  });
});
