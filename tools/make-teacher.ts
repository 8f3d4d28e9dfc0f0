// Trains the embedded teacher: samples of the embedded policy are scored by the rubric and paired,
// and a reward model learns which program of a pair is better. The held-out prompts are those of
// data/held-out.jsonl, whose behaviours occur in no training prompt.
// Usage: npm run make:teacher (see models/teacher/README.md).

import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mean } from '../src/analysis/metrics/statistics.ts';
import {
  type PreferenceEpoch,
  renderPreferenceReport,
  suggestScale,
  summarizePairs,
} from '../src/analysis/pages/preference-report.ts';
import { rewardModelFileSchema } from '../src/config/schema/reward-model-file.ts';
import { rubricSchema } from '../src/config/schema/rewards/rubric.ts';
import type { PreferencePair, Prompt } from '../src/records/prompts.ts';
import type { ScoredRollout } from '../src/records/rollouts.ts';
import { normalFormOf } from '../src/rewards/programs/normal-form/javascript.ts';
import { readPrompts } from '../src/rewards/prompts.ts';
import { createRubric } from '../src/rewards/rubric/rubric.ts';
import { scoreCompletions } from '../src/rewards/score-completions.ts';
import { createModelClient } from '../src/rl/model-client.ts';
import { preferencePairs } from '../src/rl/preference/pairs.ts';

const { values: flags } = parseArgs({
  options: {
    samples: { type: 'string', default: '128' },
    out: { type: 'string', default: 'models/teacher' },
  },
});
const config = rewardModelFileSchema.parse({
  name: 'teacher',
  seed: 11,
  base: 'models/policy',
  pairs: 'data/train.jsonl',
  held_out: 'data/held-out.jsonl',
  training: {
    epochs: 3,
    learning_rate: 5e-4,
    warmup_steps: 20,
    weight_decay: 0.01,
    batch_size: 32,
    microbatch_size: 16,
    max_length: 400,
  },
  out: flags.out,
});
const { seed, base, prompt_format: promptFormat, training } = config;
const engine = { ...config.engine, shard_prompts: 8 };
/** At most this many pairs per prompt, with at least this difference of rewards. */
const pairing = { perGroup: 32, minDifference: 0.1 };
const modelFiles = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

const models = createModelClient();
const rubric = [createRubric(rubricSchema.parse({ kind: 'rubric' }))];

/** Samples of the policy for some prompts, with the rubric's rewards. */
async function sampleAndScore(prompts: readonly Prompt[]): Promise<ScoredRollout[]> {
  const rollouts = await models.generate({
    ...{ engine, model: base, prompts: [...prompts], promptFormat, seed, stream: 'teacher/1.0' },
    samplesPerPrompt: Number(flags.samples),
    draw: { temperature: 1, topK: null, topP: 1, minP: 0 },
    ...{ maxNewTokens: 96, stopStrings: [] },
  });
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const asked = rollouts.map(({ promptId }) => byId.get(promptId)!);
  const texts = rollouts.map(({ text }) => text);
  const scores = await scoreCompletions(asked, texts, rubric);
  return rollouts.map((rollout, i) => ({
    ...rollout,
    ...scores[i]!,
    program: normalFormOf(rollout.text),
  }));
}

async function pairsOf(split: string): Promise<PreferencePair[]> {
  const prompts = await readPrompts(`data/${split}.jsonl`);
  const texts = new Map(prompts.map(({ id, prompt }) => [id, prompt]));
  const pairs: PreferencePair[] = [];
  for (let start = 0; start < prompts.length; start += engine.shard_prompts) {
    const scored = await sampleAndScore(prompts.slice(start, start + engine.shard_prompts));
    pairs.push(...preferencePairs(scored, (id) => texts.get(id)!, pairing));
  }
  console.log(`${split}: ${pairs.length} pairs of ${prompts.length} prompts`);
  return pairs;
}

async function scoresOf(model: string, pairs: readonly PreferencePair[]) {
  const how = { batchSize: 32, maxLength: training.max_length };
  const score = (answer: 'chosen' | 'rejected') =>
    models.scores({
      ...{ engine, model, promptFormat, ...how },
      sequences: pairs.map((pair) => ({ prompt: pair.prompt, completion: pair[answer] })),
    });
  const [chosen, rejected] = [await score('chosen'), await score('rejected')];
  return pairs.map((_, i) => ({ chosen: chosen[i]!, rejected: rejected[i]! }));
}

/** Write the model's folder: its files, the card and the report. */
async function publish(folder: string, report: Parameters<typeof renderPreferenceReport>[0]) {
  await mkdir(flags.out, { recursive: true });
  for (const file of modelFiles) await copyFile(join(folder, file), join(flags.out, file));
  const card = await readFile('tools/embedded/teacher-card.md', 'utf8');
  const page = renderPreferenceReport(report);
  await writeFile(join(flags.out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(flags.out, 'report.md'), page);
  await writeFile(join(flags.out, 'README.md'), card);
}

const work = await mkdtemp(join(tmpdir(), 'anneal-teacher-'));
try {
  const train = await pairsOf('train');
  const heldOut = await pairsOf('held-out');
  const folderOf = async (epoch: number) => {
    const folder = join(work, `epoch-${epoch}`);
    await mkdir(folder);
    return folder;
  };
  let model = await folderOf(0);
  await models.makeClassifier({ model: base, seed, out: model });
  const epochs: PreferenceEpoch[] = [];
  let tooLong = 0;
  let scores = await scoresOf(model, heldOut);
  for (let epoch = 1; epoch <= training.epochs; epoch++) {
    const out = await folderOf(epoch);
    const pass = await models.trainRewardModel({
      ...{ engine, model, pairs: train, promptFormat, training, lora: null, seed, epoch, out },
    });
    model = out;
    tooLong = pass.tooLong;
    scores = await scoresOf(model, heldOut);
    const { loss, accuracy } = summarizePairs(scores);
    epochs.push({
      epoch,
      step: pass.steps.at(-1)!.step,
      loss: mean(pass.steps.map((step) => step.loss))!,
      accuracy: mean(pass.steps.map((step) => step.accuracy))!,
      held_out_loss: loss,
      held_out_accuracy: accuracy,
    });
    console.log(epochs.at(-1));
  }
  await publish(model, {
    ...{ name: config.name, base, epochs, held_out: summarizePairs(scores) },
    trained: { pairs: train.length, too_long: tooLong },
    suggested: suggestScale(scores),
  });
} finally {
  await models.close();
  await rm(work, { recursive: true });
}
