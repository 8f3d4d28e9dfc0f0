// Thousands of damaged model folders. Whatever config.json, generation_config.json, the header of
// model.safetensors or the index of a model's shards contains, the result is a decoder that fits
// its weights or an error of kind InvalidModel that names the file; never a crash, a hang or
// another error. The same for tokenizer.json and tokenizer_config.json, with a tokenizer as result.

import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { readHeader } from '../../src/engine/files/safetensors.ts';
import { locateParameters } from '../../src/engine/files/weights.ts';
import { type Uniforms, uniforms } from '../../src/engine/sampling/random.ts';
import { readTokenizer } from '../../src/engine/text/tokenizer.ts';
import { folder as fixture } from './fixture.ts';

const mutations = 2000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-hostile-'));
  await cp(fixture, folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const below = (random: Uniforms, n: number) => Math.floor(random() * n);
const pick = <T>(random: Uniforms, list: readonly T[]): T => list[below(random, list.length)]!;

/** Values that a reader may fail on. */
const nasty = [null, -1, 0, 1e308, 2 ** 53, 1e9, 0.5, '', 'x', [], {}, true, [-1, 2], '__proto__'];

/** Flip, cut, repeat or blank some of the first `length` bytes. */
function mutateBytes(bytes: Buffer, length: number, random: Uniforms): Buffer {
  const at = below(random, length);
  const mutated = Buffer.from(bytes);
  switch (below(random, 4)) {
    case 0:
      mutated[at] = below(random, 256);
      return mutated;
    case 1:
      return mutated.subarray(0, at);
    case 2:
      return Buffer.concat([mutated.subarray(0, at), mutated.subarray(at - below(random, at))]);
    default:
      return mutated.fill(below(random, 256), at, Math.min(at + 8, length));
  }
}

/** Replace, remove or add a value somewhere in a JSON document. */
function mutateJson(value: unknown, random: Uniforms): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.1) return pick(random, nasty);
  const keys = Object.keys(value);
  const key = keys.length > 0 ? pick(random, keys) : 'x';
  const copy = structuredClone(value) as Record<string, unknown>;
  if (random() < 0.15) delete copy[key];
  else copy[key] = mutateJson(copy[key], random);
  return copy;
}

/** @returns whether the folder was refused; expects the required kind of error. */
async function isRefused(): Promise<boolean> {
  try {
    await locateParameters(folder, await readModelConfig(folder));
    return false;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'InvalidModel' });
    expect((error as Error).message).toContain(folder);
    return true;
  }
}

/** Count how many of thousands of damaged versions of a JSON file are refused. */
async function refusals(name: string, rounds: number): Promise<number> {
  const file = join(folder, name);
  const original = await readFile(file, 'utf8');
  const random = uniforms('hostile', name);
  let refused = 0;
  for (let i = 0; i < rounds; i++) {
    await writeFile(file, JSON.stringify(mutateJson(JSON.parse(original), random)));
    if (await isRefused()) refused++;
    await writeFile(file, mutateBytes(Buffer.from(original), original.length, random));
    if (await isRefused()) refused++;
  }
  await writeFile(file, original);
  return refused;
}

it('config.json: thousands of wrong values', async () => {
  expect(await refusals('config.json', mutations)).toBeGreaterThan(mutations / 2);
}, 60_000);

it('model.safetensors.index.json: thousands of wrong values', async () => {
  const weights = join(folder, 'model.safetensors');
  const shard = join(folder, 'model-00001-of-00001.safetensors');
  await rename(weights, shard);
  try {
    const weight_map = Object.fromEntries(
      Array.from((await readHeader(shard)).keys(), (tensor) => [tensor, basename(shard)]),
    );
    const index = 'model.safetensors.index.json';
    await writeFile(join(folder, index), JSON.stringify({ metadata: {}, weight_map }));
    expect(await isRefused()).toBe(false);
    expect(await refusals(index, mutations / 2)).toBeGreaterThan(mutations / 2);
  } finally {
    await rename(shard, weights);
  }
}, 60_000);

it('generation_config.json: wrong values', async () => {
  const file = join(folder, 'generation_config.json');
  const original = { eos_token_id: [1, 2], pad_token_id: 0 };
  const random = uniforms('hostile generation');
  let refused = 0;
  for (let i = 0; i < mutations / 4; i++) {
    await writeFile(file, JSON.stringify(mutateJson(original, random)));
    if (await isRefused()) refused++;
  }
  await rm(file);
  expect(refused).toBeGreaterThan(mutations / 16);
}, 60_000);

it('model.safetensors: thousands of damaged headers', async () => {
  const file = join(folder, 'model.safetensors');
  const original = await readFile(file);
  const headerEnd = 8 + Number(original.readBigUInt64LE());
  const header = JSON.parse(original.toString('utf8', 8, headerEnd));
  const data = original.subarray(headerEnd);
  const random = uniforms('hostile header');
  let refused = 0;
  for (let i = 0; i < mutations; i++) {
    await writeFile(file, mutateBytes(original, headerEnd, random));
    if (await isRefused()) refused++;
    const json = Buffer.from(JSON.stringify(mutateJson(header, random)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    await writeFile(file, Buffer.concat([length, json, data]));
    if (await isRefused()) refused++;
  }
  await writeFile(file, original);
  expect(refused).toBeGreaterThan(mutations);
}, 60_000);

it.each(['llama2', 'gpt2', 'unigram'])(
  'tokenizer files: wrong values (%s)',
  async (layout) => {
    const source = fileURLToPath(
      new URL(`./fixtures/tokenizer-layouts/${layout}`, import.meta.url),
    );
    const names = ['tokenizer.json', 'tokenizer_config.json'];
    const originals = await Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(source, name), 'utf8'))),
    );
    const random = uniforms('hostile tokenizer', layout);
    let refused = 0;
    for (let i = 0; i < mutations / 20; i++) {
      const [tokenizer, config] = originals;
      const part = pick(random, Object.keys(tokenizer));
      const damaged = [
        { ...tokenizer, [part]: mutateJson(tokenizer[part], random) },
        random() < 0.2 ? mutateJson(config, random) : config,
      ];
      for (const [at, name] of names.entries())
        await writeFile(join(folder, name), JSON.stringify(damaged[at]));
      if (await isTokenizerRefused()) refused++;
    }
    expect(refused).toBeGreaterThan(mutations / 60);
  },
  60_000,
);

/** @returns whether the tokenizer was refused, when it was read or for a text. */
async function isTokenizerRefused(): Promise<boolean> {
  try {
    const tokenizer = await readTokenizer(folder);
    const ids = await tokenizer.encode('<s> x\u00b2 \u00e9\u{1f600}\n');
    expect(typeof tokenizer.decodeCompletion(ids.slice(0, 2), [...ids, 1e6])).toBe('string');
    return false;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'InvalidModel' });
    expect((error as Error).message).toContain(folder);
    return true;
  }
}
