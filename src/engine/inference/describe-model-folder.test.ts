import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeModelFolder } from './describe-model-folder.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-info-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A fixture of the parity tests with the embedded policy's tokenizer. */
async function fixture(name: string): Promise<string> {
  for (const file of ['config.json', 'model.safetensors'])
    await cp(at(`test/parity/fixtures/${name}/${file}`), join(folder, file));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await cp(at(`models/policy/${file}`), join(folder, file));
  return folder;
}

describe('describeModelFolder', () => {
  it('describes the embedded policy', async () => {
    expect(await describeModelFolder(at('models/policy'))).toMatchObject({
      architecture: 'Qwen2ForCausalLM',
      parameters: 870_528,
      dtypes: { float32: 870_528 },
      layers: 4,
      hiddenSize: 128,
      intermediateSize: 352,
      heads: 4,
      kvHeads: 2,
      headDim: 32,
      vocabSize: 1024,
      tiedEmbeddings: true,
      maxPositions: 512,
      eosTokenIds: [1023],
      slidingWindow: null,
      labels: null,
      chatTemplate: false,
      rope: { kind: 'default', theta: 10_000, factor: null },
    });
  });

  it('counts all files, and parameters by stored data type', async () => {
    const { bytes, files, dtypes } = await describeModelFolder(await fixture('qwen2-bfloat16'));
    expect(dtypes).toEqual({ bfloat16: 17_696 });
    const sizes = await Promise.all(
      files.map(async ({ name }) => (await readFile(join(folder, name))).length),
    );
    expect(files.map((file) => file.bytes)).toEqual(sizes);
    expect(bytes).toBe(sizes.reduce((sum, n) => sum + n, 0));
  });

  it.each([
    ['qwen2-window', { slidingWindow: { tokens: 6, layers: 1 }, tiedEmbeddings: true }],
    ['qwen2-untied', { slidingWindow: null, tiedEmbeddings: false }],
    ['llama-llama3', { rope: { kind: 'llama3', theta: 500_000, factor: 8 } }],
    ['qwen3-classifier', { labels: 3 }],
  ])('shows the options of %s', async (name, expected) => {
    expect(await describeModelFolder(await fixture(name))).toMatchObject(expected);
  });

  it('finds a chat template in its own file or in the settings of the tokenizer', async () => {
    const settings = JSON.parse(await readFile(at('models/policy/tokenizer_config.json'), 'utf8'));
    await fixture('qwen3');
    await writeFile(join(folder, 'chat_template.jinja'), '{{ messages }}');
    expect(await describeModelFolder(folder)).toMatchObject({ chatTemplate: true });
    await rm(join(folder, 'chat_template.jinja'));
    const text = JSON.stringify({ ...settings, chat_template: '{{ messages }}' });
    await writeFile(join(folder, 'tokenizer_config.json'), text);
    expect(await describeModelFolder(folder)).toMatchObject({ chatTemplate: true });
  });
});
