// Samples completions of given prompts.

import { z } from 'zod';
import { resolveInput } from '../../config/paths.ts';
import { type EngineConfig, engineSchema } from '../../config/schema/engine.ts';
import { type PromptFormat, promptFormatSchema } from '../../config/schema/model.ts';
import type { GenerateJob } from '../../engine/inference/jobs.ts';
import type { Rollout } from '../../records/rollouts.ts';
import { readRows } from '../../rewards/rows.ts';
import { createModelClient } from '../../rl/model-client.ts';
import type { ModelService } from '../../rl/model-service.ts';
import { printJson, printLines } from '../terminal/output.ts';

const engine = engineSchema.parse({});

/** What to sample, and how. */
export interface SamplingOptions {
  prompts: string;
  n: number;
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  topK?: number;
  topP: number;
  minP: number;
  /** Strings that end a completion. */
  stop: string[];
  seed: number;
  /** Send the prompt as a user message in the model's chat template. */
  chat?: boolean;
  system?: string;
}

export interface SampleOptions extends SamplingOptions {
  json?: boolean;
}

const promptRow = z.looseObject({ id: z.string().optional(), prompt: z.string().min(1) });

/** Samples `n` completions of every prompt and prints them. */
export async function printSamples(model: string, options: SampleOptions): Promise<void> {
  const folder = resolveInput(model, 'model');
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
}

async function sampleAll(
  model: string,
  prompts: { id: string; prompt: string }[],
  options: SampleOptions,
): Promise<Rollout[]> {
  const models = createModelClient();
  try {
    const job = { engine, model, promptFormat: promptFormatOf(options), stream: 'sample' };
    const all: Rollout[] = [];
    for await (const { rollouts } of sampleShards(models, prompts, job, options))
      all.push(...rollouts);
    return all;
  } finally {
    await models.close();
  }
}

/** Sample prompts, a shard at a time, with the rollouts of each. */
export async function* sampleShards<P extends { id: string; prompt: string }>(
  models: ModelService,
  prompts: readonly P[],
  job: Pick<GenerateJob, 'model' | 'promptFormat' | 'stream'> & { engine: EngineConfig },
  { n, maxTokens, temperature, topK, topP, minP, stop, seed }: SamplingOptions,
): AsyncGenerator<{ part: P[]; rollouts: Rollout[] }> {
  const { shard_prompts } = job.engine;
  for (let start = 0; start < prompts.length; start += shard_prompts) {
    const part = prompts.slice(start, start + shard_prompts);
    const rollouts = await models.generate({
      ...{ ...job, prompts: part, samplesPerPrompt: n, seed },
      draw: { temperature, topK: topK ?? null, topP, minP },
      ...{ maxNewTokens: maxTokens, stopStrings: stop },
    });
    yield { part, rollouts };
  }
}

function promptFormatOf({ chat, system }: Pick<SampleOptions, 'chat' | 'system'>): PromptFormat {
  return promptFormatSchema.parse(chat ? { kind: 'chat', system } : { kind: 'plain' });
}
