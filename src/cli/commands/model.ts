// `anneal inspect`, `logprobs` and `sample`: what a model folder holds and what it says, so that a
// checkpoint can be held against another implementation. No server is needed.

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { resolveInput } from '../../config/paths.ts';
import { type PromptFormat, promptFormatSchema } from '../../config/schema/model.ts';
import { runSchema } from '../../config/schema/run.ts';
import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import type { ModelInfo } from '../../engine/inference/jobs.ts';
import { mergeAdapters } from '../../engine/inference/merge.ts';
import { lastLogits, tokenLogprobs } from '../../engine/inference/token-rows.ts';
import { AnnealError } from '../../errors.ts';
import type { Rollout } from '../../records/rollouts.ts';
import { readRows } from '../../rewards/prompts.ts';
import { createModelClient } from '../../rl/model-client.ts';
import { exitCodes } from '../terminal/exit.ts';
import { printJson, printLines } from '../terminal/output.ts';

const engine = runSchema.shape.engine.parse(undefined);
const modelFolder = (path: string) => resolveInput(path, 'model');

/** Architecture and sizes of a model folder, every parameter's place and shape checked. */
export async function inspectCommand(model: string, { json }: { json?: boolean }): Promise<number> {
  const models = createModelClient();
  try {
    const info = await models.inspect({ model: modelFolder(model) });
    if (json) printJson(info);
    else printLines(describeModel(info));
    return exitCodes.ok;
  } finally {
    await models.close();
  }
}

const count = (n: number) => n.toLocaleString('en-US');

function describeModel(info: ModelInfo): string[] {
  const { slidingWindow, labels, eosTokenIds } = info;
  const output = labels === null ? describeEmbeddings(info) : `${labels} scores a sequence`;
  const window = slidingWindow
    ? `${count(slidingWindow.tokens)} tokens in ${slidingWindow.layers} of ${info.layers} layers`
    : 'none';
  const facts = {
    architecture: info.architecture,
    ...(info.lora && { adapters: describeLora(info.lora) }),
    parameters: `${count(info.parameters)}, stored as ${Object.keys(info.dtypes).join(', ')}`,
    layers: count(info.layers),
    'hidden size': `${count(info.hiddenSize)}, ${count(info.intermediateSize)} within the MLP`,
    heads: `${info.heads} of size ${info.headDim}, ${info.kvHeads} for keys and values`,
    vocabulary: `${count(info.vocabSize)} tokens`,
    output,
    context: `${count(info.maxPositions)} tokens`,
    'sliding window': window,
    rope: describeRope(info.rope),
    'end tokens': eosTokenIds.join(', ') || 'none',
    'chat template': info.chatTemplate ? 'yes' : 'none',
    'to sample': describeMemory(info.memory.sampling, info.memory.samplingToken, 'in the batch'),
    'to train': describeTraining(info.memory),
    'on disk': `${count(info.bytes)} bytes`,
  };
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(15)} ${value}`);
  const width = Math.max(...info.files.map(({ name }) => name.length));
  return [
    ...lines,
    ...info.files.map(({ name, bytes }) => `  ${name.padEnd(width)}  ${count(bytes)}`),
  ];
}

/** In GB where there are some, else in MB. */
const size = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;

const describeMemory = (bytes: number, each: number, where: string) =>
  `about ${size(bytes)}, and ${size(1000 * each)} for every 1,000 tokens ${where}`;

function describeTraining(memory: ModelInfo['memory']): string {
  const { training, lora, trainingToken, recomputeToken } = memory;
  const all = describeMemory(training, trainingToken, 'of a microbatch');
  return `${all} (${size(1000 * recomputeToken)} with recompute); adapters about ${size(lora)}`;
}

const describeLora = ({ rank, alpha, targets, base }: NonNullable<ModelInfo['lora']>) =>
  `rank ${rank}, alpha ${alpha}, on ${targets.join(', ')}, over ${base}`;

const describeEmbeddings = ({ tiedEmbeddings }: ModelInfo) =>
  tiedEmbeddings ? 'tied to the embeddings' : 'weights of its own';

function describeRope({ kind, theta, factor }: ModelInfo['rope']): string {
  return `${kind}, base ${count(theta)}${factor === null ? '' : `, factor ${factor}`}`;
}

/**
 * Write adapters and their base as one model folder.
 * @throws AnnealError InvalidModel for a folder without adapters, InvalidData for a folder in use
 */
export async function mergeCommand(adapters: string, out: string): Promise<number> {
  const there = await readdir(out).catch(() => []);
  if (there.length > 0)
    throw new AnnealError(
      'InvalidData',
      `expected no files in ${out}, found ${there.length}; name an empty or a new folder`,
    );
  await mkdir(out, { recursive: true });
  await mergeAdapters(modelFolder(adapters), out);
  printLines([`merged into ${out}`]);
  return exitCodes.ok;
}

/**
 * Prints `{"logprobs": [[…]], "logits": [[…]]}`: for each row of token ids the log-probability of
 * every token but the first, and with `logits` those after the last token. Of a classifier, with
 * `logits`, its scores alone.
 * @throws AnnealError InvalidData for a file of anything else than rows of this model's token ids
 */
export async function logprobsCommand(
  model: string,
  options: { tokens: string; logits?: boolean },
): Promise<number> {
  const folder = modelFolder(model);
  const rows = await readTokenRows(options.tokens);
  const { config } = await openPolicyFolder(folder);
  const scoresAlone = options.logits && config.labels !== undefined;
  const said = {
    ...(!scoresAlone && { logprobs: await tokenLogprobs(folder, rows, engine) }),
    ...(options.logits && { logits: await lastLogits(folder, rows, engine) }),
  };
  process.stdout.write(`${JSON.stringify(said)}\n`);
  return exitCodes.ok;
}

async function readTokenRows(file: string): Promise<number[][]> {
  const expected = `${file}: expected JSON of rows of token ids, such as [[1, 2, 3], [4, 5]]`;
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new AnnealError('InvalidData', `${expected}; found: ${cause.message}`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AnnealError('InvalidData', `${expected}; found: ${(cause as Error).message}`, {
      cause,
    });
  }
  const parsed = z.array(z.array(z.number()).min(1)).min(1).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AnnealError('InvalidData', `${expected}; found: ${z.prettifyError(parsed.error)}`);
}

export interface SampleOptions {
  prompts: string;
  n: number;
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topK?: number;
  topP: number;
  minP: number;
  /** Texts that end a completion. */
  stop: string[];
  seed: number;
  /** The prompt as what the user says in the model's chat template. */
  chat?: boolean;
  system?: string;
  json?: boolean;
}

const promptRow = z.looseObject({ id: z.string().optional(), prompt: z.string().min(1) });

/** Samples `n` completions of every prompt and prints them with token ids and log-probabilities. */
export async function sampleCommand(model: string, options: SampleOptions): Promise<number> {
  const folder = modelFolder(model);
  const rows = await readRows(options.prompts, promptRow);
  const prompts = rows.map(({ row, line }) => ({
    id: row.id ?? `line ${line}`,
    prompt: row.prompt,
  }));
  const rollouts = await sampleAll(folder, prompts, options);
  if (options.json) printJson(rollouts.map(({ promptId: id, ...rollout }) => ({ id, ...rollout })));
  else
    for (const { promptId, sample, finish, text } of rollouts)
      printLines([`# ${promptId}, sample ${sample}, ${finish}`, text, '']);
  return exitCodes.ok;
}

async function sampleAll(
  model: string,
  prompts: { id: string; prompt: string }[],
  { n, maxTokens, temperature, topK, topP, minP, stop, seed, ...options }: SampleOptions,
): Promise<Rollout[]> {
  const settings = {
    engine,
    model,
    promptFormat: promptFormatOf(options),
    samplesPerPrompt: n,
    draw: { temperature, topK: topK ?? null, topP, minP },
    maxNewTokens: maxTokens,
    stopStrings: stop,
  };
  const models = createModelClient();
  try {
    const rollouts: Rollout[] = [];
    for (let start = 0; start < prompts.length; start += engine.shard_prompts) {
      const part = prompts.slice(start, start + engine.shard_prompts);
      const job = { kind: 'generate', ...settings, prompts: part, seed, stream: 'sample' } as const;
      rollouts.push(...(await models.generate(job)));
    }
    return rollouts;
  } finally {
    await models.close();
  }
}

function promptFormatOf({ chat, system }: Pick<SampleOptions, 'chat' | 'system'>): PromptFormat {
  return promptFormatSchema.parse(chat ? { kind: 'chat', system } : { kind: 'plain' });
}
