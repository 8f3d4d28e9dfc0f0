// A model folder's weights in one file and in shards, and all ways in which they can disagree with
// config.json.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecoderConfig } from '../model/config.ts';
import { readModelConfig } from './model-config.ts';
import { writeRaw } from './safetensors.fixture.ts';
import { readFloat32, readHeader } from './safetensors.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { locateParameters, openWeights, readNamed, readParameters } from './weights.ts';

const fixture = fileURLToPath(new URL('../../../test/parity/fixtures/tiny-qwen2', import.meta.url));
const embeddings = 'model.embed_tokens.weight';
const norm = 'model.norm.weight';

let folder: string;
let c: DecoderConfig;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-weights-'));
  for (const name of ['config.json', 'model.safetensors'])
    await cp(join(fixture, name), join(folder, name));
  c = await readModelConfig(folder);
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

type Tensor = [name: string, shape: number[], data: Float32Array];
async function fixtureTensors(): Promise<Tensor[]> {
  const file = join(fixture, 'model.safetensors');
  const tensors = await readFloat32(file);
  return [...(await readHeader(file))].map(([name, { shape }]) => [
    name,
    shape,
    tensors.get(name)!,
  ]);
}

/** Write the weights with one of them changed or missing. */
async function change(name: string, to: (tensor: Tensor) => Tensor[]): Promise<void> {
  const tensors = (await fixtureTensors()).flatMap((t) => (t[0] === name ? to(t) : [t]));
  await writeFloat32(at('model.safetensors'), tensors);
}

/** The weights in two shards and an index. */
async function shard(): Promise<Record<string, string>> {
  const tensors = await fixtureTensors();
  const half = Math.ceil(tensors.length / 2);
  const parts: Record<string, Float32Tensor[]> = {
    'model-00001-of-00002.safetensors': tensors.slice(0, half),
    'model-00002-of-00002.safetensors': tensors.slice(half),
  };
  const weightMap: Record<string, string> = {};
  for (const [file, part] of Object.entries(parts)) {
    await writeFloat32(at(file), part);
    for (const [name] of part) weightMap[name] = file;
  }
  await rm(at('model.safetensors'));
  await writeIndex(weightMap);
  return weightMap;
}
const writeIndex = (weight_map: object) =>
  writeFile(at('model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));

const refused = async (attempt: Promise<unknown>, file: string, message: string) => {
  await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
  await expect(attempt).rejects.toThrow(`${at(file)}: ${message}`);
};

describe('shards', () => {
  it('hold the same parameters as one file, in the same order', async () => {
    const expected = await readParameters(folder, c);
    await shard();
    const found = await readParameters(folder, c);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    expect(found).toEqual(expected);
    expect((await openWeights(folder, c)).files.size).toBe(2);
  });

  it('are ignored if there is a model.safetensors, as in transformers', async () => {
    await shard();
    await cp(join(fixture, 'model.safetensors'), at('model.safetensors'));
    const files = [...(await locateParameters(folder, c)).values()].map(({ file }) => file);
    expect(new Set(files)).toEqual(new Set(['model.safetensors']));
  });

  const index = 'model.safetensors.index.json';
  it('must all exist', async () => {
    await shard();
    await rm(at('model-00002-of-00002.safetensors'));
    const message =
      'expected shard model-00002-of-00002.safetensors with tensor model.layers.1.input_layernorm.weight beside it, found no such file';
    await refused(locateParameters(folder, c), index, message);
  });

  it('must contain what the index says', async () => {
    const weightMap = await shard();
    await writeIndex({ ...weightMap, [norm]: weightMap[embeddings] });
    const message = `expected tensor ${norm}, which ${index} has in it, found none of that name among 13`;
    await refused(locateParameters(folder, c), weightMap[embeddings]!, message);
  });

  it('are read whole, whichever of their tensors the index names, as in transformers', async () => {
    const { [norm]: file, ...rest } = await shard();
    await writeIndex(rest);
    expect((await locateParameters(folder, c)).get(norm)).toMatchObject({ file });
  });

  it('must hold every parameter', async () => {
    const weightMap = await shard();
    await rm(at('model-00001-of-00002.safetensors'));
    const { [embeddings]: first } = weightMap;
    await writeIndex(
      Object.fromEntries(Object.entries(weightMap).filter(([, file]) => file !== first)),
    );
    const message = `expected tensor ${embeddings} [64,32], found none of that name among 13`;
    await refused(locateParameters(folder, c), 'model-00002-of-00002.safetensors', message);
  });

  it.each(['..', '.', '', 'a\0b', '/etc/passwd', 'C:\\model'])(
    'may not be named %j by the index',
    async (name) => {
      await writeIndex({ ...(await shard()), [norm]: name });
      await expect(locateParameters(folder, c)).rejects.toThrow(/Invalid string.*\n.*weight_map/);
    },
  );

  it('must be in the folder itself', async () => {
    const weightMap = await shard();
    await writeIndex({ ...weightMap, [norm]: join('..', basename(folder), weightMap[norm]!) });
    const attempt = locateParameters(folder, c);
    await refused(attempt, index, '');
    await expect(attempt).rejects.toThrow(/Invalid string.*\n.*weight_map/);
  });
});

describe('refuses, with the names of file and tensor,', () => {
  const file = 'model.safetensors';

  it('no weights at all', async () => {
    await rm(at(file));
    const attempt = locateParameters(folder, c);
    await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
    await expect(attempt).rejects.toThrow(`expected weights in ${at(file)} or model.safetensors.i`);
  });

  it('a missing tensor', async () => {
    await change(norm, () => []);
    const message = `expected tensor ${norm} [32], found none of that name among 25`;
    await refused(locateParameters(folder, c), file, message);
  });

  it('a tensor of another shape', async () => {
    await change(embeddings, ([name, , data]) => [[name, [32, 64], data]]);
    const message = `expected tensor ${embeddings} [64,32], found shape [32,64]`;
    await refused(locateParameters(folder, c), file, message);
  });

  it.each(['I64', 'F8_E4M3', 'F64', 'I8'])('a tensor of %s', async (dtype) => {
    const entries = [...(await readHeader(at(file)))].map(([name, { shape }]) => {
      const bytes = { F64: 8, I64: 8 }[dtype] ?? 1;
      return { name, shape, length: bytes * shape.reduce((n, size) => n * size, 1) };
    });
    let end = 0;
    const header = Object.fromEntries(
      entries.map(({ name, shape, length }) => {
        end += length;
        return [name, { dtype, shape, data_offsets: [end - length, end] }];
      }),
    );
    await writeRaw(at(file), header, new Uint8Array(end));
    const message = `expected tensor ${embeddings} [64,32] of F32, F16, BF16, found ${dtype}`;
    await refused(locateParameters(folder, c), file, message);
  });

  it.each([
    ['for training', readParameters],
    ['for sampling', openWeights],
  ])('a weight that is not finite, %s', async (_, open) => {
    await breakElement(norm, 5);
    const message = `expected finite numbers in tensor ${norm} [32] F32, found Infinity at element 5`;
    await refused(open(folder, c), file, message);
  });
});

/** Write infinity, which the writer refuses. */
async function breakElement(tensor: string, index: number): Promise<void> {
  const file = at('model.safetensors');
  const { offset } = (await readHeader(file)).get(tensor)!;
  const bytes = await readFile(file);
  bytes.writeFloatLE(Number.POSITIVE_INFINITY, offset + 4 * index);
  await writeFile(file, bytes);
}

describe('readNamed', () => {
  it('reads the named tensors and refuses a file that lacks one', async () => {
    const spec = { name: norm, shape: [32] };
    const found = await readNamed(at('model.safetensors'), [spec]);
    expect(found).toEqual(new Map([[norm, (await readParameters(folder, c)).get(norm)]]));
    const attempt = readNamed(at('model.safetensors'), [spec, { name: 'x', shape: [1] }]);
    await refused(attempt, 'model.safetensors', 'expected tensor x [1], found none');
  });
});
