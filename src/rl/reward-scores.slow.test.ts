// A classifier made from the embedded policy, through the model process and as a reward.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveInput } from '../config/paths.ts';
import { rewardModelSchema } from '../config/schema/rewards/reward-model.ts';
import { saveClassifier } from '../engine/files/classifier-folder.ts';
import { lastLogits } from '../engine/inference/token-rows.ts';
import { createPromptEncoder } from '../engine/text/prompt-format.ts';
import { readTokenizer } from '../engine/text/tokenizer.ts';
import { type Prompt, promptSchema } from '../records/prompts.ts';
import { createRewardModel } from '../rewards/reward-model/reward-model.ts';
import { scoreCompletions } from '../rewards/score-completions.ts';
import { createModelClient } from './model-client.ts';

const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const policy = resolveInput('models/policy', 'model.path');
const plain = { kind: 'plain', bos: false } as const;
const models = createModelClient();
let model: string;
beforeAll(async () => {
  model = await mkdtemp(join(tmpdir(), 'anneal-classifier-'));
  await saveClassifier(policy, model, 3);
});
afterAll(async () => {
  await models.close();
  await rm(model, { recursive: true });
});

const prompt: Prompt = promptSchema.parse({
  id: 'double',
  prompt: '// Double a number.\n// double(value)\n',
  entry: 'double',
  tests: [{ args: [2], returns: 4 }],
  reference: 'function double(value) {\n  return 2 * value;\n}\n',
});
/** Programs of many lengths. */
const completions = Array.from(
  { length: 23 },
  (_, i) => `function double(value) {\n${'  value += 0;\n'.repeat(i)}  return 2 * value;\n}\n`,
);
const scoresOf = (texts: readonly string[], changes = {}) =>
  models.scores({
    engine,
    model,
    sequences: texts.map((completion) => ({ prompt: prompt.prompt, completion })),
    promptFormat: plain,
    batchSize: 8,
    maxLength: 512,
    ...changes,
  });

describe('scores', () => {
  it('belong to the last token, the one that ends the text', async () => {
    const tokenizer = await readTokenizer(model);
    const encode = await createPromptEncoder(tokenizer, plain, 1024);
    const whole = await encode(completions.map((text) => prompt.prompt + text));
    const rows = whole.map((row) => [...row, 1023]);
    const expected = (await lastLogits(model, rows, engine)).map(([score]) => score!);
    const found = await scoresOf(completions);
    found.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i]!, 4);
    });
    expect(new Set(found).size).toBe(completions.length);
  });

  it('have the same bits in any batch', async () => {
    const whole = await scoresOf(completions);
    const single = await Promise.all(completions.map((text) => scoresOf([text])));
    expect(single.flat()).toEqual(whole);
    expect((await scoresOf(completions.toReversed())).toReversed()).toEqual(whole);
  });

  it('are missing if a sequence is too long', async () => {
    const whole = await scoresOf(completions);
    const found = await scoresOf(completions, { maxLength: 100 });
    expect(found.filter((score) => score === null).length).toBeGreaterThan(0);
    found.forEach((score, i) => {
      if (score !== null) expect(score).toBe(whole[i]);
    });
  });

  it('come only from classifiers with one label', async () => {
    const scoring = scoresOf(completions, { model: policy });
    await expect(scoring).rejects.toThrow(/expected a reward model.*found Qwen2ForCausalLM/);
  });
});

describe('the reward', () => {
  const score = async (texts: readonly string[], changes = {}) => {
    const config = rewardModelSchema.parse({ kind: 'reward_model', path: model, ...changes });
    const services = { models: { scores: (job: object) => scoresOf([], job) } };
    const prompts = texts.map(() => prompt);
    return scoreCompletions(prompts, texts, [createRewardModel(config, services)]);
  };

  it('is the sigmoid of the shifted and scaled score', async () => {
    const [raw] = await scoresOf(completions.slice(0, 1), { batchSize: 16 });
    const [scored] = await score(completions.slice(0, 1), { shift: 0.5, scale: 2 });
    expect(scored!.reward).toBeCloseTo(1 / (1 + Math.exp(-(raw! - 0.5) / 2)), 12);
  });

  it('is 0 for a text that is not a program, unless the gate is off', async () => {
    const texts = [completions[0]!, 'function (', '', '// nothing'];
    const gated = await score(texts);
    expect(gated.map(({ reward }) => reward! > 0)).toEqual([true, false, false, false]);
    expect(gated[1]!.rewards.reward_model!.note).toContain('does not parse');
    const open = await score(texts, { gate: 'none' });
    expect(open.every(({ reward }) => reward! > 0)).toBe(true);
    expect(open[0]).toEqual(gated[0]);
  });

  it('reads a fenced answer whole, and gates its program', async () => {
    const fenced = (program: string) => `Sure!\n\`\`\`js\n${program}\`\`\`\n`;
    const texts = [fenced(completions[0]!), fenced('function (')];
    const [scored, broken] = await score(texts);
    const [raw] = await scoresOf(texts, { batchSize: 16 });
    expect(scored!.reward).toBeCloseTo(1 / (1 + Math.exp(-raw!)), 12);
    expect(broken!.rewards.reward_model!.note).toContain('does not parse');
  });

  it('is missing, with the reason, for a program that is too long', async () => {
    const [scored] = await score([completions.at(-1)!], { max_length: 20 });
    expect(scored).toMatchObject({
      reward: null,
      rewards: { reward_model: { note: 'more than max_length = 20 tokens' } },
    });
  });
});
