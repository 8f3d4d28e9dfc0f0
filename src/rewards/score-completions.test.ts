import { expect, it } from 'vitest';
import { type RewardConfig, rewardSchema } from '../config/schema/rewards.ts';
import { type Prompt, promptSchema } from '../records/prompts.ts';
import { createRewards } from './kinds.ts';
import type { CriterionResult, Reward, RewardServices, ScoreProgress } from './reward.ts';
import { scoreCompletions } from './score-completions.ts';

const reference = `/**
 * Sums the values above a limit.
 * @param {number[]} values the numbers
 * @param {number} limit the limit
 * @returns {number} the sum
 */
function sumAbove(values, limit) {
  let sum = 0;
  for (const value of values) {
    if (value > limit) sum += value;
  }
  return sum;
}
`;
const prompt: Prompt = promptSchema.parse({
  id: 'sum-above',
  prompt: '// Sum the values above a limit.\n',
  entry: 'sumAbove',
  tests: [
    { args: [[1, 5, 9], 4], returns: 14 },
    { args: [[], 0], returns: 0 },
    { args: [[-1, 2], -5], returns: 1 },
    { args: [[3], 3], returns: 0 },
  ],
  reference,
});
const bare = reference.slice(reference.indexOf('function'));
/** Rubrics need none of them. */
const services = {} as RewardServices;
const rubric = (changes: object = {}): RewardConfig =>
  rewardSchema.parse({ kind: 'rubric', ...changes });

async function score(completions: string[], ...configs: RewardConfig[]) {
  const rewards = createRewards(configs.length > 0 ? configs : [rubric()], services);
  const prompts = completions.map(() => prompt);
  return scoreCompletions(prompts, completions, rewards);
}
async function criteriaOf(completion: string) {
  const [scored] = await score([completion]);
  return scored!.rewards.rubric!.criteria;
}

it('gives the reference 1, also in each criterion', async () => {
  const criteria = { correctness: 1, quality: 1, efficiency: 1, documentation: 1 };
  expect(await score([reference])).toEqual([
    { reward: 1, rewards: { rubric: { value: 1, criteria } } },
  ]);
});

it.each(['javascript', 'typescript', 'python'] as const)(
  'scores the program of a fenced answer in %s as the bare one',
  async (language) => {
    const program = {
      javascript: reference,
      typescript: reference.replace('values, limit', 'values: number[], limit: number'),
      python: 'def sumAbove(values, limit):\n    return sum(v for v in values if v > limit)\n',
    }[language];
    const asked = { ...prompt, language, reference: program };
    const rewards = createRewards([rubric()], services);
    const scoreAll = (texts: string[], fences: boolean) =>
      scoreCompletions(
        texts.map(() => asked),
        texts,
        rewards,
        { format: { kind: 'plain', fences } },
      );
    const worse = program.replace('>', '<');
    const answers = [program, worse].map((it) => `It's:\n\`\`\`${language}\n${it}\`\`\`\nDone.`);
    expect(await scoreAll(answers, true)).toEqual(await scoreAll([program, worse], true));
    expect((await scoreAll(answers, false)).map(({ reward }) => reward)).toEqual([0, 0]);
  },
);

it('refuses a reference in a fence, and says so', async () => {
  const fenced = { ...prompt, id: 'fenced', reference: `\`\`\`js\n${bare}\`\`\`` };
  await expect(
    scoreCompletions([fenced], [bare], createRewards([rubric()], services)),
  ).rejects.toThrow(/prompt 'fenced'.*line 1 is a Markdown fence/);
});

it('weighs the criteria as declared', async () => {
  const [normal] = await score([bare]);
  expect(normal!.reward).toBeCloseTo(0.8, 10);
  const shares = { correctness: 1, quality: 0, efficiency: 0, documentation: 3 };
  const [other] = await score([bare], rubric({ criteria: shares }));
  expect(other!.reward).toBeCloseTo(0.25, 10);
});

it.each([
  ['what does not parse', 'function sumAbove(', 'does not parse'],
  ['what defines something else', bare.replace('sumAbove', 'sum'), "no function 'sumAbove'"],
  ['nothing', '', "no function 'sumAbove'"],
])('gives %s 0 for everything, and the reason', async (_, completion, words) => {
  const [scored] = await score([completion]);
  const criteria = { correctness: 0, quality: 0, efficiency: 0, documentation: 0 };
  expect(scored).toEqual({
    reward: 0,
    rewards: { rubric: { value: 0, criteria, note: expect.stringContaining(words) } },
  });
});

it('counts the share of tests passed, and reduces efficiency by it', async () => {
  const wrong = reference.replace('value > limit', 'value >= limit');
  const { correctness, efficiency, quality, documentation } = await criteriaOf(wrong);
  expect([correctness, efficiency, quality, documentation]).toEqual([0.75, 0.75, 1, 1]);
});

it('ranks a good program over a wasteful one, a mediocre one and one that does nothing', async () => {
  const wasteful = `function sumAbove(values, limit) {
  let kept = [];
  for (const value of values) {
    if (value > limit) kept = [...kept, value];
  }
  return kept.reduce((sum, value) => sum + value, 0);
}`;
  const mediocre = `function sumAbove(a, b) {
  var s = 0;
  for (var i = 0; i < a.length; i++) {
    if (a[i] > b == true) { s = s + a[i]; } else { s = s; }
  }
  return s;
}`;
  const idle = 'function sumAbove(values, limit) { return 0; }';
  const scores = await score([reference, bare, wasteful, mediocre, idle]);
  const rewards = scores.map(({ reward }) => reward!);
  expect(rewards).toEqual(rewards.toSorted((a, b) => b - a));
  expect(new Set(rewards).size).toBe(5);
  expect(await criteriaOf(wasteful)).toMatchObject({ correctness: 1 });
  expect((await criteriaOf(wasteful)).efficiency).toBeLessThan(0.7);
});

it('divides by the value of the reference, capped at 1', async () => {
  const poor: Prompt = { ...prompt, id: 'poor', reference: bare };
  const [plain] = createRewards([rubric({ normalize_by_reference: false })], services);
  const [normal] = createRewards([rubric()], services);
  const rewardOf = async (reward: Reward, completion: string) =>
    (await scoreCompletions([poor], [completion], [reward]))[0]!.reward;
  expect(await rewardOf(plain!, bare)).toBeCloseTo(0.8, 10);
  expect(await rewardOf(normal!, bare)).toBe(1);
  expect(await rewardOf(normal!, reference)).toBe(1);
});

it('refuses a prompt whose reference fails its own tests', async () => {
  const broken = { ...prompt, id: 'broken', reference: bare.replace('> limit', '< limit') };
  await expect(
    scoreCompletions([broken], [bare], createRewards([rubric()], services)),
  ).rejects.toMatchObject({
    kind: 'InvalidData',
    message: expect.stringMatching(/prompt 'broken'.*test 1 of 4: expected 14, got 1/),
  });
});

it('scores a program the same beside any others, in any order', async () => {
  const endless = 'function sumAbove(values, limit) { for (;;); }';
  const wrong = bare.replace('>', '<');
  const programs = [reference, endless, wrong, bare, '('];
  const many = Array.from({ length: 130 }, (_, index) => programs[index % 5]!);
  const alone = await Promise.all(programs.map(async (one) => (await score([one]))[0]));
  expect(await score(many)).toEqual(many.map((_, index) => alone[index % 5]));
});

it('reports progress up to the total', async () => {
  const told: ScoreProgress[] = [];
  const completions = Array.from({ length: 70 }, () => bare);
  await scoreCompletions(
    completions.map(() => prompt),
    completions,
    createRewards([rubric(), rubric({ name: 'again' })], services),
    { onProgress: (progress) => told.push(progress) },
  );
  expect(told.map(({ done }) => done)).toEqual(
    told.map(({ done }) => done).toSorted((a, b) => a - b),
  );
  expect(told.at(-1)).toEqual({ done: 140, total: 140, unit: 'programs' });
});

it('rejects with the reason of an abort', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const scoring = scoreCompletions([prompt], [bare], createRewards([rubric()], services), {
    signal,
  });
  await expect(scoring).rejects.toThrow('enough');
});

const fixed = (name: string, weight: number, value: number | null): Reward => ({
  name,
  weight,
  score: async (items) => items.map((): CriterionResult => ({ value, criteria: {} })),
});

it('is the weighted mean of the rewards declared', async () => {
  const rewards = [fixed('a', 3, 1), fixed('b', 1, 0.2)];
  const [scored] = await scoreCompletions([prompt], [''], rewards);
  expect(scored!.reward).toBeCloseTo(0.8, 10);
  expect(scored!.rewards).toMatchObject({ a: { value: 1 }, b: { value: 0.2 } });
});

it('is missing if one of the rewards is', async () => {
  const rewards = [fixed('a', 3, 1), fixed('b', 1, null)];
  const [scored] = await scoreCompletions([prompt], [''], rewards);
  expect(scored).toMatchObject({ reward: null, rewards: { a: { value: 1 }, b: { value: null } } });
});

it('reports a reward of weight 0 without adding it, missing or not', async () => {
  const rewards = [fixed('a', 1, 0.4), fixed('b', 0, 0.9), fixed('c', 0, null)];
  const [scored] = await scoreCompletions([prompt], [''], rewards);
  expect(scored!.reward).toBe(0.4);
  expect(scored!.rewards).toMatchObject({ b: { value: 0.9 }, c: { value: null } });
});

it('refuses two rewards with the same name, and criteria of weight 0', () => {
  expect(() => createRewards([rubric(), rubric()], services)).toThrow("found 'rubric' twice");
  const none = { correctness: 0, quality: 0, efficiency: 0, documentation: 0 };
  expect(() => createRewards([rubric({ criteria: none })], services)).toThrow('above 0');
});
