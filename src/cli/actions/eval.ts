// Evaluates a model on a prompt file: pass@k and mean reward. Samples can be kept in a file, from
// which an evaluation that was interrupted continues.

import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { rewardServices } from '../../activities/reward-services.ts';
import { fixed } from '../../analysis/format.ts';
import {
  type Estimate,
  type EvaluatedSample,
  type EvaluationSummary,
  summarizeEvaluation,
} from '../../analysis/metrics/evaluation.ts';
import { loadRunFile } from '../../config/load.ts';
import { resolveInput } from '../../config/paths.ts';
import { type EngineConfig, engineSchema } from '../../config/schema/engine.ts';
import { modelSchema } from '../../config/schema/model.ts';
import { type RewardConfig, rewardSchema } from '../../config/schema/rewards.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import type { Prompt } from '../../records/prompts.ts';
import { createRewards, readRewardFiles } from '../../rewards/kinds.ts';
import { allowCode } from '../../rewards/own/permission.ts';
import { readPrompts } from '../../rewards/prompts.ts';
import { scoreCompletions } from '../../rewards/score-completions.ts';
import { createModelClient } from '../../rl/model-client.ts';
import { defaultRunsDir } from '../runs/runs-dir.ts';
import { printJson, printLines } from '../terminal/output.ts';
import { type SamplingOptions, sampleShards } from './sample.ts';

export interface EvalOptions extends SamplingOptions {
  /** Values of k in pass@k, each at most `n`; 1 and `n` by default. */
  k?: readonly number[];
  /** Run file whose rewards, prompt format and engine to use; the built-in rubric by default. */
  config?: string;
  /** JSONL file that keeps the samples. */
  out?: string;
  json?: boolean;
}

interface Setup {
  engine: EngineConfig;
  rewards: readonly RewardConfig[];
  promptFormat: RunConfig['model']['prompt_format'];
}

/** Everything that decides the samples and their scores: the first line of a file of samples. */
type Settings = Record<string, unknown>;

/**
 * Sample and score every prompt, and print the summary.
 * @throws AnnealError InvalidData for prompts or a file of samples that do not fit; InvalidConfig
 */
export async function evaluateModel(model: string, options: EvalOptions): Promise<void> {
  const { n, temperature, maxTokens } = options;
  const ks = options.k ?? [...new Set([1, n])];
  if (ks.some((k) => k > n))
    throw new AnnealError(
      'InvalidData',
      `--k: expected at most --n ${n} samples per prompt, found ${Math.max(...ks)}. Raise --n, or leave --k out.`,
    );
  const folder = resolveInput(model, 'model');
  const file = resolveInput(options.prompts, 'prompts');
  const prompts = await readPrompts(file);
  const setup = await setupOf(options);
  const settings = { model: folder, prompts: file, ...sampling(options), ...setup };
  const kept = options.out ? await SampleFile.open(options.out, settings, n) : undefined;
  const samples = await sampleAll(folder, prompts, setup, options, kept);
  const summary = summarizeEvaluation(samples, ks);
  if (options.json) {
    const { passAtK, ...others } = summary;
    printJson({
      model,
      promptFile: options.prompts,
      n,
      temperature,
      maxTokens,
      ...passAtK,
      ...others,
    });
  } else printLines(summaryLines(summary, ks));
}

/** A run file's settings for scoring and prompts; flags of the prompt's format win. */
async function setupOf({ config, ...options }: EvalOptions): Promise<Setup> {
  const run = config ? await loadRunFile(resolveInput(config, '--config')) : undefined;
  const given = options.chat ? { kind: 'chat', system: options.system } : undefined;
  return {
    engine: run?.engine ?? engineSchema.parse({}),
    rewards: run?.rewards ?? [rewardSchema.parse({ kind: 'rubric' })],
    promptFormat:
      given || !run ? modelSchema.shape.prompt_format.parse(given) : run.model.prompt_format,
  };
}

function sampling({ n, maxTokens, temperature, topK, topP, minP, stop, seed }: SamplingOptions) {
  return { n, maxTokens, temperature, topK: topK ?? null, topP, minP, stop, seed };
}

async function sampleAll(
  model: string,
  prompts: readonly Prompt[],
  { engine, rewards: declared, promptFormat }: Setup,
  options: EvalOptions,
  kept: SampleFile | undefined,
): Promise<EvaluatedSample[]> {
  const samples = [...(kept?.samples ?? [])];
  const done = new Set(samples.map(({ id }) => id));
  const left = prompts.filter(({ id }) => !done.has(id));
  const models = createModelClient();
  allowCode();
  const report = reporter(prompts.length, done.size);
  try {
    const services = rewardServices(models, engine, { runsDir: defaultRunsDir(), run: 'eval' });
    const rewards = createRewards(await readRewardFiles(declared), services);
    const job = { engine, model, promptFormat, stream: 'eval' };
    for await (const { part, rollouts } of sampleShards(models, left, job, options)) {
      const promptOf = new Map(part.map((prompt) => [prompt.id, prompt]));
      const asked = rollouts.map(({ promptId }) => promptOf.get(promptId)!);
      const texts = rollouts.map(({ text }) => text);
      const scores = await scoreCompletions(asked, texts, rewards, { format: promptFormat });
      const made = rollouts.map(
        ({ promptId: id, sample, text, finish, tokens }, i): EvaluatedSample => ({
          ...{ id, sample, text, finish, tokens: tokens.length },
          ...scores[i]!,
        }),
      );
      await kept?.add(made);
      samples.push(...made);
      report(part.length);
    }
    return samples;
  } finally {
    await models.close();
  }
}

/** Prints how many prompts are done, to stderr, if someone watches. */
function reporter(total: number, before: number): (prompts: number) => void {
  let done = before;
  return (prompts) => {
    done += prompts;
    if (process.stderr.isTTY)
      process.stderr.write(`\r${done} of ${total} prompts${done === total ? '\n' : ''}`);
  };
}

/** The samples of an evaluation in a file: its settings, then one sample a line. */
class SampleFile {
  readonly #path: string;
  /** All samples of the prompts that are complete. */
  readonly samples: readonly EvaluatedSample[];

  private constructor(path: string, samples: readonly EvaluatedSample[]) {
    this.#path = path;
    this.samples = samples;
  }

  /**
   * Open or create a file. What a kill left of a prompt is dropped.
   * @throws AnnealError InvalidData if it has samples of other settings, or is no such file
   */
  static async open(path: string, settings: Settings, n: number): Promise<SampleFile> {
    const asText = JSON.stringify({ settings });
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new AnnealError('InvalidData', `${path}: ${error.message}`);
    });
    const [first, ...rows] = text.split('\n').slice(0, -1).map(parsed);
    if (text !== '') checkSettings(path, first, JSON.parse(asText).settings);
    const groups = Map.groupBy(rows as EvaluatedSample[], ({ id }) => id);
    const complete = [...groups.values()].filter((group) => group.length === n).flat();
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, [asText, ...complete.map(toLine), ''].join('\n'));
    await rename(temporary, path);
    return new SampleFile(path, complete);
  }

  async add(samples: readonly EvaluatedSample[]): Promise<void> {
    await appendFile(this.#path, samples.map((sample) => `${toLine(sample)}\n`).join(''));
  }
}

const toLine = (sample: EvaluatedSample) => JSON.stringify(sample);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function checkSettings(path: string, first: unknown, settings: Settings): void {
  const refuse = (found: string) =>
    new AnnealError(
      'InvalidData',
      `${path}: expected samples of these settings, found ${found}. Name another file, or remove it.`,
    );
  const found = (first as { settings?: Settings } | null)?.settings;
  if (typeof found !== 'object' || found === null) throw refuse('another file');
  const other = Object.keys({ ...settings, ...found }).filter(
    (key) => !isDeepStrictEqual(settings[key], found[key]),
  );
  if (other.length > 0) throw refuse(`other values of ${other.join(', ')}`);
}

function summaryLines(summary: EvaluationSummary, ks: readonly number[]): string[] {
  const { prompts, samples, passAtK, reward, truncated, meanTokens } = summary;
  const row = (name: string, found: Estimate | null | undefined) =>
    `${name.padEnd(9)}${fixed(found?.value, 3)}${intervalOf(found)}`;
  return [
    ...ks.map((k) => row(`pass@${k}`, passAtK[`pass@${k}`])),
    row('reward', reward),
    `${samples} samples of ${prompts} prompts; ${fixed(meanTokens, 0)} tokens on average, ${fixed(100 * truncated, 0)}% cut off`,
  ];
}

const intervalOf = (found: Estimate | null | undefined) =>
  found?.low == null ? '' : `  (95%: ${fixed(found.low, 3)} to ${fixed(found.high, 3)})`;
