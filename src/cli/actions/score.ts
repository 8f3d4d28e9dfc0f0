// Scores given programs, criterion by criterion, with the built-in rubric or a run file's rewards.

import { z } from 'zod';
import { rewardServices } from '../../activities/reward-services.ts';
import { fixed } from '../../analysis/format.ts';
import { loadRunFile } from '../../config/load.ts';
import { resolveInput } from '../../config/paths.ts';
import { engineSchema } from '../../config/schema/engine.ts';
import { rewardSchema } from '../../config/schema/rewards.ts';
import type { Prompt } from '../../records/prompts.ts';
import type { Score } from '../../records/rollouts.ts';
import { createRewards, readRewardFiles } from '../../rewards/kinds.ts';
import { allowCode } from '../../rewards/own/permission.ts';
import { readPrompts } from '../../rewards/prompts.ts';
import { invalid, readRows } from '../../rewards/rows.ts';
import { scoreCompletions } from '../../rewards/score-completions.ts';
import { createModelClient } from '../../rl/model-client.ts';
import { defaultRunsDir } from '../runs/runs-dir.ts';
import { notesOf, scoreColumns } from '../terminal/score-columns.ts';
import { tableLines } from '../terminal/table.ts';

export interface ScoreOptions {
  /** JSONL file of rows `{"id": promptId, "completion": "..."}`. */
  completions: string;
  json?: boolean;
  /** Run file whose rewards to use; the built-in rubric by default. */
  config?: string;
}

/** A scored row of the completions file. */
export type ScoredRow = { id: string } & Score;

const noteChars = 60;
const completionSchema = z
  .looseObject({
    id: z.string().optional(),
    prompt_id: z.string().optional(),
    promptId: z.string().optional(),
    completion: z.string(),
  })
  .transform(({ id, prompt_id, promptId, completion }, context) => {
    const prompt = id ?? prompt_id ?? promptId;
    if (prompt !== undefined) return { prompt, completion };
    context.addIssue('expected the id of a prompt as `id` (or `prompt_id`, `promptId`)');
    return z.NEVER;
  });

/** Print the scored rows of a completions file in their order. @throws as `scoreFile` does. */
export async function printScores(prompts: string, options: ScoreOptions): Promise<void> {
  const { config, completions } = options;
  const rows = await scoreFile(resolveInput(prompts, 'prompts'), {
    completions: resolveInput(completions, '--completions'),
    ...(config && { config: resolveInput(config, '--config') }),
  });
  console.log(options.json ? JSON.stringify(rows, null, 2) : scoreTable(rows).join('\n'));
}

/**
 * Score the rows of a completions file, in their order.
 * @throws AnnealError InvalidData with file and line for rows that cannot be read and ids that no
 *   prompt has; InvalidConfig for the run file
 */
export async function scoreFile(
  promptsFile: string,
  { completions, config }: ScoreOptions,
): Promise<ScoredRow[]> {
  const { rewards: declared, engine, model } = config ? await loadRunFile(config) : defaults();
  const prompts = new Map((await readPrompts(promptsFile)).map((prompt) => [prompt.id, prompt]));
  const rows = await readRows(completions, completionSchema);
  const asked = rows.map(({ row, line }): Prompt => {
    const prompt = prompts.get(row.prompt);
    if (prompt) return prompt;
    throw invalid(
      completions,
      line,
      `expected the id of a prompt in ${promptsFile}, found '${row.prompt}'`,
    );
  });
  const texts = rows.map(({ row }) => row.completion);
  const models = createModelClient();
  allowCode();
  try {
    const services = rewardServices(models, engine, { runsDir: defaultRunsDir(), run: 'score' });
    const rewards = createRewards(await readRewardFiles(declared), services);
    const scores = await scoreCompletions(asked, texts, rewards, {
      format: model?.prompt_format,
    });
    return scores.map((score, index) => ({ id: asked[index]!.id, ...score }));
  } finally {
    await models.close();
  }
}

function defaults() {
  return {
    rewards: [rewardSchema.parse({ kind: 'rubric' })],
    engine: engineSchema.parse({}),
    model: undefined,
  };
}

/** A table with a column for each criterion, and the mean reward below it. */
export function scoreTable(rows: readonly ScoredRow[]): string[] {
  const { titles, cells } = scoreColumns(rows);
  const lines = tableLines(
    ['prompt', ...titles, 'note'],
    rows.map((row) => [row.id, ...cells(row), shorten(notesOf(row))]),
  );
  return [...lines, '', summary(rows)];
}

function summary(rows: readonly ScoredRow[]): string {
  const rewards = rows.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rewards.length);
  const missing = rows.length - rewards.length;
  const counted = `average reward ${fixed(mean, 3)} over ${rewards.length} completions`;
  return missing > 0 ? `${counted}; ${missing} without a score` : counted;
}

function shorten(text: string): string {
  return text.length <= noteChars ? text : `${text.slice(0, noteChars - 1)}…`;
}
