import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { readModelConfig } from './model-config.ts';

let folder: string;
let config: Record<string, unknown>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-stop-'));
  const policy = resolveInput('models/policy', 'model.path');
  await cp(join(policy, 'config.json'), join(folder, 'config.json'));
  config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true }));

async function stopTokens(inConfig: unknown, generation: unknown): Promise<number[]> {
  const content = JSON.stringify({ ...config, eos_token_id: inConfig });
  await writeFile(join(folder, 'config.json'), content);
  const file = join(folder, 'generation_config.json');
  if (generation === undefined) await rm(file, { force: true });
  else
    await writeFile(file, typeof generation === 'string' ? generation : JSON.stringify(generation));
  return (await readModelConfig(folder)).eosTokenIds;
}

it.each<[string, unknown, unknown, number[]]>([
  ['one in config.json', 7, undefined, [7]],
  ['several in config.json', [7, 8], undefined, [7, 8]],
  ['none', undefined, undefined, []],
  ['one in generation_config.json, which wins', [7, 8], { eos_token_id: 9 }, [9]],
  ['several in generation_config.json', 7, { eos_token_id: [9, 0], top_k: 20 }, [9, 0]],
  ['a generation_config.json that names none', [7, 8], { temperature: 0.6 }, [7, 8]],
  ['a generation_config.json with null', 7, { eos_token_id: null }, [7]],
])('%s', async (_, inConfig, generation, expected) => {
  expect(await stopTokens(inConfig, generation)).toEqual(expected);
});

it.each<[string, unknown]>([
  ['cut off', '{"eos_token_id": 1'],
  ['a list', '[1]'],
  ['a text for an id', { eos_token_id: '<|im_end|>' }],
  ['an id below 0', { eos_token_id: [1, -1] }],
  ['an empty list', { eos_token_id: [] }],
])('a generation_config.json that is damaged is named: %s', async (_, generation) => {
  await expect(stopTokens(7, generation)).rejects.toMatchObject({
    kind: 'InvalidModel',
    message: expect.stringContaining(join(folder, 'generation_config.json')),
  });
});
