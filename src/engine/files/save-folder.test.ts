// Saved model folders: which files are copied, which are not, and which must agree with the weights.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameterSpecs } from '../model/parameters.ts';
import { readModelConfig } from './model-config.ts';
import { readHeader } from './safetensors.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { saveModelFolder } from './save-folder.ts';
import { readParameters } from './weights.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/parity/fixtures/${name}`, import.meta.url));

let root: string;
let source: string;
let made = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'anneal-save-'));
  source = join(root, 'source');
  await cp(fixture('qwen2-bfloat16'), source, { recursive: true });
  await rm(join(source, 'expected.json'));
});
afterEach(() => rm(root, { recursive: true }));

const at = (name: string) => join(source, name);
const json = async (folder: string, name: string) =>
  JSON.parse(await readFile(join(folder, name), 'utf8'));

async function tensorsOf(folder: string): Promise<Float32Tensor[]> {
  const config = await readModelConfig(folder);
  const parameters = await readParameters(folder, config);
  return parameterSpecs(config).map(({ name, shape }) => [name, shape, parameters.get(name)!]);
}

async function save(from = source, tensors?: Float32Tensor[]): Promise<string> {
  const out = join(root, `out-${made++}`);
  await mkdir(out);
  const decoder = await readModelConfig(fixture('qwen2-bfloat16'));
  await saveModelFolder({
    source: from,
    out,
    decoder,
    tensors: tensors ?? (await tensorsOf(from)),
  });
  return out;
}

/** The bytes of all files. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
  return Object.fromEntries(names.map((name, i) => [name, texts[i]!]));
}

describe('weights', () => {
  it('of any type, in any number of files, are saved as one float32 file', async () => {
    const tensors = await tensorsOf(source);
    await rm(at('model.safetensors'));
    const shards = {
      'model-1.safetensors': tensors.slice(0, 9),
      'model-2.safetensors': tensors.slice(9),
    };
    const weight_map: Record<string, string> = {};
    for (const [file, part] of Object.entries(shards)) {
      await writeFloat32(at(file), part);
      for (const [name] of part) weight_map[name] = file;
    }
    await writeFile(at('model.safetensors.index.json'), JSON.stringify({ weight_map }));
    const out = await save();
    expect(await readdir(out)).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
    ]);
    const header = await readHeader(join(out, 'model.safetensors'));
    expect([...header.keys()]).toEqual(tensors.map(([name]) => name));
    expect(new Set([...header.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F32']));
    const config = await readModelConfig(out);
    expect(await readParameters(out, config)).toEqual(await readParameters(source, config));
  });

  it('that are not finite are refused, and no file is left', async () => {
    const [[name, shape, data], ...rest] = (await tensorsOf(source)) as [
      [string, number[], Float32Array],
    ];
    data[3] = Number.NaN;
    await expect(save(source, [[name, shape, data], ...rest])).rejects.toMatchObject({
      kind: 'NonFinite',
      message: expect.stringContaining('tensor model.embed_tokens.weight [64,32]'),
    });
    expect(await readdir(join(root, `out-${made - 1}`))).toEqual([]);
  });
});

describe('other files', () => {
  it('are copied, links followed; weights in other formats and training files are not', async () => {
    const kept = [
      'LICENSE',
      'chat_template.jinja',
      'merges.txt',
      'tokenizer.json',
      'tokenizer.model',
    ];
    const left = [
      'model.fp16.safetensors',
      'pytorch_model.bin',
      'pytorch_model-1.bin',
      'model.gguf',
      'pytorch_model.bin.index.json',
      'model.onnx',
      'model.onnx_data',
      'tf_model.h5',
      'optimizer.safetensors',
      'trainer_state.json',
      'checkpoint.json',
      'training_args.bin',
      'adapter_config.json',
      'optimizer.pt',
      '.gitattributes',
    ];
    for (const name of [...kept, ...left]) await writeFile(at(name), name);
    await symlink(at('LICENSE'), at('NOTICE'));
    await mkdir(at('onnx'));
    const out = await save();
    const written = ['README.md', 'config.json', 'generation_config.json', 'model.safetensors'];
    expect(await readdir(out)).toEqual([...kept, 'NOTICE', ...written].sort());
    expect(await readFile(join(out, 'NOTICE'), 'utf8')).toBe('LICENSE');
  });
});

describe('config.json', () => {
  const saveWithConfig = async (config: string) => {
    const tensors = await tensorsOf(source);
    await writeFile(at('config.json'), config);
    return readFile(join(await save(source, tensors), 'config.json'), 'utf8');
  };

  it.each(['dtype', 'torch_dtype'])('has float32 under the same key, %s', async (key) => {
    const { dtype: _, ...config } = await json(source, 'config.json');
    const before = { [key]: 'bfloat16', ...config };
    const after = JSON.parse(await saveWithConfig(JSON.stringify(before)));
    expect(after).toEqual({ ...before, [key]: 'float32' });
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });

  it('keeps unknown keys and numbers as written, and adds missing keys', async () => {
    const text =
      '{"architectures": ["Qwen3ForCausalLM"], "x": {"y": [1.0, 1e-06, 12345678901234567890]}}';
    expect(await saveWithConfig(text)).toBe(`{
  "architectures": [
    "Qwen3ForCausalLM"
  ],
  "x": {
    "y": [
      1.0,
      1e-06,
      12345678901234567890
    ]
  },
  "dtype": "float32",
  "model_type": "qwen3"
}
`);
  });
});

describe('generation_config.json', () => {
  it('is made from the ids in config.json if there is none', async () => {
    const config = await json(source, 'config.json');
    const ids = { bos_token_id: null, eos_token_id: [7, 9], pad_token_id: 0 };
    await writeFile(at('config.json'), JSON.stringify({ ...config, ...ids }));
    const generation = await json(await save(), 'generation_config.json');
    expect(generation).toEqual({ eos_token_id: [7, 9], pad_token_id: 0 });
  });

  it('is kept if there is one', async () => {
    await writeFile(at('generation_config.json'), '{ "eos_token_id": 3, "top_p": 0.9 }');
    const text = await readFile(join(await save(), 'generation_config.json'), 'utf8');
    expect(text).toBe('{ "eos_token_id": 3, "top_p": 0.9 }');
  });
});

describe('a saved folder', () => {
  it('has the same bytes every time, also when saved from itself', async () => {
    await writeFile(at('README.md'), '---\nlicense: mit\n---\n# Tiny\n');
    const first = await save();
    const expected = await contents(first);
    expect(await contents(await save())).toEqual(expected);
    const again = await save(first);
    expect(await contents(again)).toEqual(expected);
    expect(await contents(await save(again))).toEqual(expected);
  });

  it('does not depend on the path of its source', async () => {
    const elsewhere = join(root, 'elsewhere');
    await cp(source, elsewhere, { recursive: true });
    expect(await contents(await save(elsewhere))).toEqual(await contents(await save()));
  });
});
