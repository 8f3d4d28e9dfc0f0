import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { saveClassifier } from './classifier-folder.ts';
import { readModelConfig } from './model-config.ts';
import { readFloat32 } from './safetensors.ts';

const policy = resolveInput('models/policy', 'model.path');
let folders: string[];
beforeEach(async () => {
  const names = ['made', 'again', 'source'];
  folders = await Promise.all(names.map((name) => mkdtemp(join(tmpdir(), `anneal-${name}-`))));
});
afterEach(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const weightsOf = (folder: string) => readFloat32(join(folder, 'model.safetensors'));
const configOf = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));

it('keeps the layers and replaces the output by a head', async () => {
  const [made] = folders as [string];
  await saveClassifier(policy, made, 3);
  const [found, source] = await Promise.all([weightsOf(made), weightsOf(policy)]);
  const { 'score.weight': head, ...layers } = Object.fromEntries(found);
  expect(layers).toEqual(Object.fromEntries(source));
  expect(head).toHaveLength(128);
  const bound = 1 / Math.sqrt(128);
  expect(Math.max(...head!)).toBeLessThan(bound);
  expect(Math.min(...head!)).toBeLessThan(-bound / 2);
  expect(await configOf(made)).toMatchObject({
    architectures: ['Qwen2ForSequenceClassification'],
    id2label: { 0: 'LABEL_0' },
    pad_token_id: 1022,
  });
  expect((await readModelConfig(made)).labels).toBe(1);
});

it('draws the head from the seed', async () => {
  const [made, again] = folders as [string, string];
  const head = async (out: string, seed: number) => {
    await saveClassifier(policy, out, seed);
    return (await weightsOf(out)).get('score.weight');
  };
  const first = await head(made, 3);
  expect(await head(again, 3)).toEqual(first);
  expect(await head(again, 4)).not.toEqual(first);
});

it('keeps the head if the folder is a classifier already', async () => {
  const [made, again] = folders as [string, string];
  await saveClassifier(policy, made, 3);
  await saveClassifier(made, again, 4);
  expect(await weightsOf(again)).toEqual(await weightsOf(made));
  expect(await configOf(again)).toEqual(await configOf(made));
});

it.each([
  ['ends texts', 1023],
  ['is none', null],
])('pads with a token that ends no text where the declared one %s', async (_, declared) => {
  const [made, , source] = folders as [string, string, string];
  for (const name of ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
    await writeFile(join(source, name), await readFile(join(policy, name)));
  const config = { ...(await configOf(policy)), pad_token_id: declared, eos_token_id: [1023, 7] };
  await writeFile(join(source, 'config.json'), JSON.stringify(config));
  await saveClassifier(source, made, 0);
  expect((await configOf(made)).pad_token_id).toBe(1022);
});
