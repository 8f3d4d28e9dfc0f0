import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadRewardModelFile } from './reward-model-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-reward-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(text: string) {
  const file = join(folder, 'file.yaml');
  await writeFile(file, text);
  return loadRewardModelFile(file);
}
const smallest = 'base: models/policy\npairs: pairs.jsonl\nout: models/judge\n';

it('is completed with defaults', async () => {
  expect(await load(smallest)).toMatchObject({
    name: 'reward-model',
    held_out: null,
    held_out_share: 0.1,
    prompt_format: { kind: 'plain' },
    lora: null,
    engine: { device: 'cpu', threads: 2, snapshot_seconds: 10 },
    training: { epochs: 1, batch_size: 32, microbatch_size: 8 },
  });
});

it.each([
  ['an unknown key', `${smallest}bse: x\n`, /Unrecognized key: "bse"/],
  ['a share that leaves nothing', `${smallest}held_out_share: 1\n`, /held_out_share/],
  ['a missing key', 'base: x\nout: y\n', /pairs/],
  ["a run's setting that means nothing here", `${smallest}engine: {shard_prompts: 2}\n`, /shard/],
  ['no YAML', '{', /expected a reward model file, cannot read it/],
])('refuses %s, naming the file', async (_, text, message) => {
  const error = await load(text).catch((thrown) => thrown);
  expect(error).toMatchObject({ kind: 'InvalidConfig' });
  expect(error.message).toMatch(message);
  expect(error.message).toContain(join(folder, 'file.yaml'));
});
