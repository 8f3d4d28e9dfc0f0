// The model commands as processes, with the fixtures of the parity tests and the embedded policy.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const main = join(root, 'src/cli/main.ts');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-cli-model-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function anneal(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}
async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

it('inspect: sizes, options, types and files, as text and as JSON', async () => {
  const model = join(root, 'models/policy');
  const { stdout } = await anneal('inspect', model);
  for (const line of [
    /^architecture +Qwen2ForCausalLM$/m,
    /^parameters +870,528, stored as float32$/m,
    /^heads +4 of size 32, 2 for keys and values$/m,
    /^context +512 tokens$/m,
    /^rope +default, base 10,000$/m,
    /^end tokens +1023$/m,
    /^ +model\.safetensors +3,487,352$/m,
  ])
    expect(stdout).toMatch(line);
  const info = JSON.parse((await anneal('inspect', model, '--json')).stdout);
  expect(info).toMatchObject({ layers: 4, tiedEmbeddings: true, dtypes: { float32: 870_528 } });
});

it('inspect: what the model does not read', async () => {
  const model = join(folder, 'mystery');
  await cp(join(root, 'models/policy'), model, { recursive: true });
  expect((await anneal('inspect', model)).stdout).not.toContain('unused');
  const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8'));
  const changed = { ...config, mystery: 1, attention_dropout: 0.1 };
  await writeFile(join(model, 'config.json'), JSON.stringify(changed));
  expect((await anneal('inspect', model)).stdout).toMatch(
    /^unused keys +attention_dropout, mystery$/m,
  );
  const softcapped = { ...config, final_logit_softcapping: 30 };
  await writeFile(join(model, 'config.json'), JSON.stringify(softcapped));
  expect((await anneal('inspect', model)).stderr).toContain('found final_logit_softcapping 30');
});

it('logprobs: the same values as transformers', async () => {
  const model = join(root, 'test/parity/fixtures/qwen3');
  const expected = JSON.parse(await readFile(join(model, 'expected.json'), 'utf8'));
  const rows = expected.prompts.map((p: number[], i: number) => [...p, ...expected.completions[i]]);
  const tokens = await file('rows.json', JSON.stringify([...rows, [3]]));
  const { stdout } = await anneal('logprobs', model, '--tokens', tokens, '--logits');
  const found = JSON.parse(stdout);
  expect(found.logprobs.at(-1)).toEqual([]);
  for (const kind of ['logprobs', 'logits'])
    expected[kind].flat().forEach((value: number, i: number) => {
      expect(Math.abs(found[kind].flat()[i] - value)).toBeLessThan(1e-4);
    });
});

it("logprobs: only a classifier's scores, no log-probabilities", async () => {
  const model = join(root, 'test/parity/fixtures/qwen3-classifier');
  const { prompts, completions, scores } = JSON.parse(
    await readFile(join(model, 'expected.json'), 'utf8'),
  );
  const rows = prompts.map((prompt: number[], i: number) => [...prompt, ...completions[i]]);
  const tokens = await file('classified.json', JSON.stringify(rows));
  const { stdout } = await anneal('logprobs', model, '--tokens', tokens, '--logits');
  const found = JSON.parse(stdout);
  expect(Object.keys(found)).toEqual(['logits']);
  scores.flat().forEach((score: number, i: number) => {
    expect(Math.abs(found.logits.flat()[i] - score)).toBeLessThan(1e-4);
  });
  const { code, stderr } = await anneal('logprobs', model, '--tokens', tokens);
  expect(code).toBe(2);
  expect(stderr).toMatch(/expected a language model, found Qwen3ForSequenceClassification/);
});

it('logprobs: refuses unknown token ids, naming the row', async () => {
  const tokens = await file('bad.json', '[[1, 2], [9999]]');
  const { code, stderr } = await anneal(
    'logprobs',
    join(root, 'models/policy'),
    '--tokens',
    tokens,
  );
  expect(code).toBe(2);
  expect(stderr).toContain('row 1: expected token ids from 0 to 1023, found 9999');
});

it('sample: greedy at temperature 0, with token ids and log-probabilities', async () => {
  const prompts = await file(
    'prompts.jsonl',
    '{"prompt": "// Add 8 to each value.\\n// f(values)\\n"}\n',
  );
  const flags = ['--prompts', prompts, '--n', '2', '--temperature', '0', '--json'];
  const { stdout } = await anneal('sample', join(root, 'models/policy'), ...flags);
  const [first, second] = JSON.parse(stdout);
  expect(second).toEqual({ ...first, sample: 1 });
  expect(first).toMatchObject({ id: 'line 1', finish: 'stop' });
  expect(first.logprobs).toHaveLength(first.tokens.length);
});

it('sample --chat: the system message and the prompt in the chat template', async () => {
  const policy = join(root, 'models/policy');
  const model = join(folder, 'chat-model');
  await cp(policy, model, { recursive: true });
  await file(
    'chat-model/chat_template.jinja',
    "{% for m in messages %}// {{ m.content ~ '\\n' }}{% endfor %}",
  );
  const chats = await file('chats.jsonl', '{"id": "f", "prompt": "f(values)"}\n');
  const plain = await file(
    'plain.jsonl',
    '{"id": "f", "prompt": "// Add 8 to each value.\\n// f(values)\\n"}\n',
  );
  const flags = ['--n', '2', '--json'];
  const system = ['--system', 'Add 8 to each value.'];
  const chat = await anneal('sample', model, '--prompts', chats, ...system, ...flags);
  const expected = await anneal('sample', policy, '--prompts', plain, ...flags);
  expect(JSON.parse(chat.stdout)).toEqual(JSON.parse(expected.stdout));

  const { code, stderr } = await anneal('sample', policy, '--prompts', chats, '--chat');
  expect(code).toBe(2);
  expect(stderr).toContain('policy: expected a chat template, found neither');
});
