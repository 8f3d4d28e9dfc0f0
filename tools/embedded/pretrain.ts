// Pretrains the embedded policy on the generated corpus, with the engine that later fine-tunes it,
// and writes it as a Hugging Face folder. Usage: npm run make:policy (see README.md).

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { writeFloat32 } from '../../src/engine/files/safetensors-writer.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { permutation, type Uniforms, uniforms } from '../../src/engine/sampling/random.ts';
import { readTokenizer, type Tokenizer } from '../../src/engine/text/tokenizer.ts';
import {
  PolicyTrainer,
  type StepSettings,
  type TrainSequence,
} from '../../src/rl/policy/trainer.ts';
import { pretrainingCorpus } from './corpus.ts';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    examples: { type: 'string', default: '48000' },
    epochs: { type: 'string', default: '1' },
    out: { type: 'string', default: 'models/policy' },
    tokenizer: { type: 'string', default: 'models/policy' },
  },
});
const seed = Number(flags.seed);
const batchSize = 32;
const microbatchSize = 32;
const peakLearningRate = 3e-3;
const warmupSteps = 60;
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json'];
const modelFiles = [
  'config.json',
  'generation_config.json',
  'model.safetensors',
  ...tokenizerFiles,
];
const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;

/** Small enough to train on a laptop in minutes, large enough to copy names and constants. */
const modelConfig = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  torch_dtype: 'float32',
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  hidden_act: 'silu',
  attention_dropout: 0,
  initializer_range: 0.02,
  use_sliding_window: false,
};

/** Standard normal numbers (Box–Muller). */
function normal(random: Uniforms): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Norms at 1, biases at 0, weights normal with the config's range; output projections smaller. */
function initial(name: string, size: number, random: Uniforms): Float32Array {
  if (name.includes('norm')) return new Float32Array(size).fill(1);
  if (name.endsWith('.bias')) return new Float32Array(size);
  const residual = /(o_proj|down_proj)/.test(name);
  const depth = residual ? Math.sqrt(2 * modelConfig.num_hidden_layers) : 1;
  const std = (name.includes('embed') ? 0.05 : 1 / Math.sqrt(modelConfig.hidden_size)) / depth;
  return Float32Array.from({ length: size }, () => std * normal(random));
}

/** An untrained model in `folder`, with the tokenizer of `flags.tokenizer`. */
async function initialize(folder: string): Promise<void> {
  const source = flags.tokenizer;
  for (const file of tokenizerFiles) await cp(join(source, file), join(folder, file));
  const ids = await specialTokens(source);
  const config = { ...modelConfig, ...ids };
  const generation = { eos_token_id: ids.eos_token_id, pad_token_id: ids.pad_token_id };
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  await writeFile(
    join(folder, 'generation_config.json'),
    `${JSON.stringify(generation, null, 2)}\n`,
  );
  const random = uniforms(seed, 'initial');
  const tensors = parameterSpecs(await readModelConfig(folder)).map(({ name, shape }) => {
    const size = shape.reduce((n, d) => n * d, 1);
    return [name, shape, initial(name, size, random)] as const;
  });
  await writeFloat32(join(folder, 'model.safetensors'), tensors);
}

async function specialTokens(folder: string) {
  const tokenizer = await readTokenizer(folder);
  const id = (token: string) => {
    const found = tokenizer.idOf(token);
    if (found === undefined) throw new Error(`${token} is not a token of ${folder}`);
    return found;
  };
  return {
    vocab_size: tokenizer.vocabSize,
    eos_token_id: id('<|im_end|>'),
    pad_token_id: id('<|endoftext|>'),
  };
}

/** Examples as token sequences, each ending with the end-of-sequence token. */
function tokenize(tokenizer: Tokenizer, eos: number): Promise<TrainSequence[]> {
  const corpus = pretrainingCorpus(seed, Number(flags.examples));
  const sequences = corpus.map(async ({ prompt, completion }) => {
    const tokens = [...(await tokenizer.encode(completion)), eos];
    return {
      prompt: await tokenizer.encode(prompt),
      completion: tokens,
      weight: [],
      advantage: tokens.map(() => 1),
      reward: 0,
      oldLogprobs: tokens.map(() => 0),
      referenceLogprobs: tokens.map(() => 0),
    };
  });
  return Promise.all(sequences);
}

/** Batches of similar length, in random order. */
function batches(examples: TrainSequence[], random: Uniforms): TrainSequence[][] {
  const shuffled = permutation(examples.length, random).map((i) => examples[i]!);
  const sorted = shuffled.sort((a, b) => a.completion.length - b.completion.length);
  const count = Math.floor(sorted.length / batchSize);
  const order = permutation(count, random);
  return order.map((i) => {
    const batch = sorted.slice(i * batchSize, (i + 1) * batchSize);
    const tokens = batch.reduce((sum, s) => sum + s.completion.length, 0);
    return batch.map((s) => ({ ...s, weight: s.completion.map(() => 1 / tokens) }));
  });
}

function settings(step: number, total: number): StepSettings {
  const warm = Math.min(1, (step + 1) / warmupSteps);
  const cosine = 0.05 + 0.95 * 0.5 * (1 + Math.cos((Math.PI * step) / total));
  return {
    inverse_temperature: 1,
    kl_coefficient: 0,
    ratio_low: 0,
    ratio_high: 1e9,
    learning_rate: peakLearningRate * warm * cosine,
    weight_decay: 0.01,
    beta1: 0.9,
    beta2: 0.98,
    epsilon: 1e-8,
    max_grad_norm: 1,
  };
}

const work = await mkdtemp(join(tmpdir(), 'anneal-pretrain-'));
try {
  await initialize(work);
  const trainer = await PolicyTrainer.load(work, engine);
  const tokenizer = await readTokenizer(work);
  const examples = await tokenize(tokenizer, trainer.config.eosTokenIds[0]!);
  const epochs = Number(flags.epochs);
  const total = epochs * Math.floor(examples.length / batchSize);
  for (let epoch = 0; epoch < epochs; epoch++)
    for (const batch of batches(examples, uniforms(seed, 'batches', epoch))) {
      const step = settings(trainer.step, total);
      const { policy_loss } = await trainer.train(batch, microbatchSize, 'likelihood', step);
      if (trainer.step % 50 === 0)
        console.log(`step ${trainer.step}/${total} loss ${policy_loss.toFixed(4)}`);
    }
  const trained = join(work, 'trained');
  await mkdir(trained);
  await trainer.save(trained);
  // A base model, not a checkpoint of a run: it has its own card and no optimiser state.
  for (const file of modelFiles) await cp(join(trained, file), join(flags.out, file));
} finally {
  await rm(work, { recursive: true });
}
