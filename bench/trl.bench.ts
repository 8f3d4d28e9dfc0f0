// Anneal compared with TRL's GRPOTrainer, if ANNEAL_PYTHON names a Python that has it: same policy,
// prompts, reward and settings. First the time of an epoch of a 3.2 M-parameter Qwen2, in
// alternating rounds; then the held-out reward of the embedded policy after the same training.
// Flags: --rounds=N of timing (0 skips it); --epochs=N of training for the reward (0 skips it);
// --seeds=0,1,2 for the reward; --prompts=N per epoch, a multiple of 8.

import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawPrompts, evaluate, type Training, trainEpoch } from '../examples/epoch.ts';
import { settingsAt } from '../src/config/schedule.ts';
import { rubricSchema } from '../src/config/schema/rewards/rubric.ts';
import { type RunConfig, runSchema } from '../src/config/schema/run.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { readTokenizer } from '../src/engine/text/tokenizer.ts';
import { readPrompts } from '../src/rewards/prompts.ts';
import { createRubric } from '../src/rewards/rubric/rubric.ts';
import { scoreCompletions } from '../src/rewards/score-completions.ts';
import { createModelClient } from '../src/rl/model-client.ts';
import { report, reportMean } from './figure.ts';
import { Peer } from './peer.ts';
import { randomModel } from './random-model.ts';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean' },
    prompts: { type: 'string', default: '96' },
    rounds: { type: 'string', default: '5' },
    epochs: { type: 'string', default: '4' },
    seeds: { type: 'string', default: '0,1,2' },
  },
});
const promptsPerEpoch = Number(flags.prompts);
const rounds = Number(flags.rounds);
const epochs = Number(flags.epochs);
const seeds = flags.seeds.split(',').map(Number);

const inRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const embedded = inRoot('models/policy');

function configOf(model: string, seed: number, lastEpoch: number, batchSize = 64): RunConfig {
  return runSchema.parse({
    seed,
    model: { path: model },
    prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
    rlaif: {
      algorithm: 'grpo',
      kl_penalty: 0.1,
      prompts_per_epoch: promptsPerEpoch,
      max_new_tokens: 96,
    },
    training: { learning_rate: 4e-4, warmup_steps: 20, batch_size: batchSize, microbatch_size: 16 },
    phases: [{ name: 'only', epochs: [1, lastEpoch] }],
  });
}

/** Seconds of each stage, and completion tokens sampled. */
interface EpochCost {
  generate: number;
  score: number;
  train: number;
  tokens: number;
}

/** The same training, whose stages add their time to `cost`. */
function measured(training: Training, cost: EpochCost): Training {
  const timed = async <T>(stage: 'generate' | 'score' | 'train', work: Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work;
    cost[stage] += (performance.now() - start) / 1000;
    return result;
  };
  return {
    ...training,
    score: (asked, completions) => timed('score', training.score(asked, completions)),
    models: {
      ...models,
      train: (job) => timed('train', models.train(job)),
      async generate(job) {
        const rollouts = await timed('generate', models.generate(job));
        cost.tokens += rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0);
        return rollouts;
      },
    },
  };
}

/** The rubric, which scores the reference solutions first, to normalise by them. */
async function createScorer(): Promise<Training['score']> {
  const byId = new Map([...trainPrompts, ...heldOut].map((prompt) => [prompt.id, prompt]));
  const rewards = [createRubric(rubricSchema.parse({ kind: 'rubric' }))];
  const score: Training['score'] = async (prompts, completions) => {
    const asked = prompts.map(({ id }) => byId.get(id)!);
    return (await scoreCompletions(asked, completions, rewards)).map(({ reward }) => reward);
  };
  const all = [...byId.values()];
  await score(
    all,
    all.map(({ reference }) => reference),
  );
  return score;
}

type Answer = { ids: string[]; completions: string[] } | (EpochCost & { steps: number });

interface TrlOptions {
  /** Folder to write the policy to; null writes none. */
  out?: string | null;
  forcedLength?: boolean;
  /** Sample for every step, as TRL does by default, instead of once per epoch. */
  sampleEachStep?: boolean;
}

/** Train with TRL over the same epochs. */
async function trainWithTrl(
  peer: Peer,
  training: Training,
  { out = null, forcedLength = false, sampleEachStep = false }: TrlOptions = {},
): Promise<EpochCost> {
  const { config } = training;
  const [first, last] = config.phases[0]!.epochs;
  const drawn = Array.from({ length: last - first + 1 }, (_, i) =>
    drawPrompts(training, first + i),
  );
  let answer = await peer.ask<Answer>({
    ...settingsAt(config, first).settings,
    model: config.model.path,
    prompts: drawn.flat().map(({ id, prompt }) => ({ id, prompt })),
    seed: config.seed,
    forced_length: forcedLength,
    sample_each_step: sampleEachStep,
    out,
  });
  const byId = new Map(training.prompts.map((prompt) => [prompt.id, prompt]));
  while ('ids' in answer) {
    const asked = answer.ids.map((id) => byId.get(id)!);
    answer = await peer.ask<Answer>({ rewards: await training.score(asked, answer.completions) });
  }
  const { prompts_per_epoch, num_samples_per_prompt } = config.rlaif;
  const samples = drawn.length * prompts_per_epoch * num_samples_per_prompt;
  const expected = samples / config.training.batch_size;
  if (answer.steps !== expected)
    throw new Error(`expected ${expected} steps from TRL, found ${answer.steps}`);
  return answer;
}

/** Train with Anneal over all epochs, each from the previous checkpoint; folders in `into`. */
async function trainWithAnneal(training: Training, into: string) {
  const [first, last] = training.config.phases[0]!.epochs;
  const cost: EpochCost = { generate: 0, score: 0, train: 0, tokens: 0 };
  let policy = training.config.model.path;
  for (let epoch = first; epoch <= last; epoch++) {
    const out = await mkdtemp(join(into, `epoch-${epoch}-`));
    await trainEpoch(measured(training, cost), epoch, policy, out);
    policy = out;
  }
  return { cost, policy };
}

/** Seconds of each stage on both sides, and TRL's divided by ours. */
function reportCosts(name: string, ours: readonly EpochCost[], theirs: readonly EpochCost[]): void {
  const stages = {
    'wall time': ({ generate, score, train }: EpochCost) => generate + score + train,
    generate: ({ generate }: EpochCost) => generate,
    score: ({ score }: EpochCost) => score,
    train: ({ train }: EpochCost) => train,
  };
  for (const [stage, seconds] of Object.entries(stages)) {
    report(`${name}, ${stage}, anneal`, 's', ours.map(seconds));
    report(`${name}, ${stage}, TRL`, 's', theirs.map(seconds));
    const ratios = theirs.map((cost, i) => seconds(cost) / seconds(ours[i]!));
    report(`${name}, ${stage}, TRL / anneal`, 'x', ratios);
  }
}

const promptLength = 32;

/** The prompts, each repeated and cut to the same number of tokens. */
async function ofLength(prompts: readonly TrainPrompt[], tokenizerFolder: string) {
  const tokenizer = await readTokenizer(tokenizerFolder);
  return Promise.all(
    prompts.map(async (prompt) => {
      const tokens = await tokenizer.encode(prompt.prompt.repeat(promptLength));
      const text = tokenizer.decode(tokens.slice(0, promptLength));
      if ((await tokenizer.encode(text)).length !== promptLength)
        throw new Error(
          `expected prompt ${prompt.id} to have ${promptLength} tokens again after decoding`,
        );
      return { ...prompt, prompt: text };
    }),
  );
}
type TrainPrompt = (typeof trainPrompts)[number];

const withReference = (config: RunConfig, reference: string): RunConfig => ({
  ...config,
  model: { ...config.model, reference },
});

/**
 * Epochs of the random model, which never ends a sequence. Its programs are scored like any others,
 * but all get 0. A random draw is added, so that no group is constant and both sides train on
 * everything. A first epoch starts from the reference. A later epoch needs a separate pass for the
 * reference; a copy of it in another folder makes Anneal do that. TRL treats both alike.
 */
async function benchTime(peer: Peer, batchSize: number, sampleEachStep: boolean): Promise<void> {
  const model = await randomModel();
  try {
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await copyFile(join(embedded, name), join(model, name));
    const draw = uniforms('rewards');
    const training: Training = {
      models,
      config: configOf(model, 0, 1, batchSize),
      prompts: await ofLength(trainPrompts, model),
      score: async (asked, completions) =>
        (await score(asked, completions)).map((reward) => ((reward ?? 0) + draw()) / 2),
    };
    const reference = join(model, 'reference');
    await cp(join(model, 'model.safetensors'), join(reference, 'model.safetensors'));
    await copyFile(join(model, 'config.json'), join(reference, 'config.json'));
    const later = { ...training, config: withReference(training.config, reference) };
    const costs = { first: [] as EpochCost[], later: [] as EpochCost[], theirs: [] as EpochCost[] };
    // The first round is a warm-up.
    for (let round = -1; round < rounds; round++) {
      const into = await mkdtemp(join(model, 'round-'));
      const { cost } = await trainWithAnneal(training, into);
      const apart = await trainWithAnneal(later, into);
      const other = await trainWithTrl(peer, training, { forcedLength: true, sampleEachStep });
      if (cost.tokens !== other.tokens)
        throw new Error(
          `expected ${cost.tokens} tokens from TRL, as from Anneal, found ${other.tokens}`,
        );
      if (round >= 0) {
        costs.first.push(cost);
        costs.later.push(apart.cost);
        costs.theirs.push(other);
      }
    }
    const by = sampleEachStep ? 'sampling for each' : 'sampling once';
    const name = `steps of ${batchSize}, TRL ${by}`;
    reportCosts(`first epoch, ${name}`, costs.first, costs.theirs);
    reportCosts(`later epoch, ${name}`, costs.later, costs.theirs);
  } finally {
    await rm(model, { recursive: true });
  }
}

/** Both train from the embedded policy; Anneal evaluates both. */
async function benchReward(peer: Peer): Promise<void> {
  const costs = { ours: [] as EpochCost[], theirs: [] as EpochCost[] };
  const rewards = { start: [] as number[], ours: [] as number[], theirs: [] as number[] };
  for (const seed of seeds) {
    const training = {
      models,
      config: configOf(embedded, seed, epochs),
      prompts: trainPrompts,
      score,
    };
    const into = await mkdtemp(join(tmpdir(), 'anneal-trl-'));
    try {
      const { cost, policy } = await trainWithAnneal(training, into);
      const out = join(into, 'trl');
      costs.ours.push(cost);
      costs.theirs.push(await trainWithTrl(peer, training, { out }));
      rewards.start.push(await evaluate(training, heldOut, embedded));
      rewards.ours.push(await evaluate(training, heldOut, policy));
      rewards.theirs.push(await evaluate(training, heldOut, out));
    } finally {
      await rm(into, { recursive: true });
    }
  }
  const name = `held-out reward, ${epochs} epochs`;
  reportMean('held-out reward, start', rewards.start);
  reportMean(`${name}, anneal`, rewards.ours);
  reportMean(`${name}, TRL`, rewards.theirs);
  const differences = rewards.ours.map((reward, i) => reward - rewards.theirs[i]!);
  reportMean(`${name}, anneal - TRL, by seed`, differences);
  reportCosts(`${epochs} epochs, embedded policy`, costs.ours, costs.theirs);
}

const peer = await Peer.start('trl_grpo.py');
if (peer === undefined) {
  console.error('trl: skipped, since ANNEAL_PYTHON names no Python that has torch and trl');
  process.exit(0);
}
const models = createModelClient();
const trainPrompts = await readPrompts(inRoot('data/train.jsonl'));
const heldOut = await readPrompts(inRoot('data/held-out.jsonl'));
const score = await createScorer();
try {
  if (rounds > 0) {
    await benchTime(peer, 16, true);
    await benchTime(peer, 64, false);
  }
  if (epochs > 0) await benchReward(peer);
} finally {
  peer.close();
  await models.close();
}
