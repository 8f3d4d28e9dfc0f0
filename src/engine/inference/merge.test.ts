import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { mergeAdapters } from './merge.ts';
import { lastLogits } from './token-rows.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/parity/fixtures/${name}`, import.meta.url));
const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const rows = [
  [5, 9, 11, 4, 8],
  [7, 3, 2, 40, 41, 8, 6, 23],
];

it.each(['lora-qwen2', 'lora-llama'])('%s gives the same as the merged model', async (name) => {
  const out = await mkdtemp(join(tmpdir(), 'anneal-merge-'));
  try {
    await mergeAdapters(fixture(name), out);
    const merged = await lastLogits(out, rows, engine);
    (await lastLogits(fixture(name), rows, engine)).forEach((row, i) => {
      row.forEach((logit, v) => {
        expect(Math.abs(merged[i]![v]! - logit)).toBeLessThan(1e-4);
      });
    });
  } finally {
    await rm(out, { recursive: true });
  }
});

it('refuses a folder without adapters', async () => {
  await expect(mergeAdapters(fixture('llama'), '/tmp/x')).rejects.toThrow(/folder of adapters/);
});
