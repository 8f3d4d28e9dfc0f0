// Log-probabilities and last logits of given rows of token ids, to compare a checkpoint with
// another implementation.

import { AnnealError } from '../../errors.ts';
import { openPolicyFolder } from '../files/policy-folder.ts';
import type { DecoderConfig } from '../model/config.ts';
import { logitsGraph } from '../model/logprob-graph.ts';
import { integers, packBatch, scoredToken } from '../model/packing.ts';
import type { EngineSettings } from './jobs.ts';
import { LoadedModel } from './loaded-model.ts';
import { LogprobScorer } from './logprob-scorer.ts';

/** Rows computed together. */
const batch = 8;

/** @throws AnnealError InvalidData naming the first row that the model cannot take */
function checkTokenRows(rows: readonly (readonly number[])[], c: DecoderConfig): void {
  rows.forEach((row, i) => {
    const refuse = (expected: string, found: string) =>
      new AnnealError('InvalidData', `row ${i}: expected ${expected}, found ${found}`);
    if (row.length < 1 || row.length > c.maxPositions)
      throw refuse(`1 to ${c.maxPositions} token ids`, `${row.length}`);
    const bad = row.find((id) => !Number.isInteger(id) || id < 0 || id >= c.vocabSize);
    if (bad !== undefined) throw refuse(`token ids from 0 to ${c.vocabSize - 1}`, `${bad}`);
  });
}

/**
 * For each row, the log-probability of every token but the first given those before it.
 * @throws AnnealError InvalidModel for a classifier, InvalidData for a bad row
 */
export async function tokenLogprobs(
  folder: string,
  rows: readonly (readonly number[])[],
  engine: EngineSettings,
): Promise<number[][]> {
  const policy = await openPolicyFolder(folder);
  const { config } = policy;
  if (config.labels !== undefined)
    throw new AnnealError(
      'InvalidModel',
      `${folder}: expected a language model, found ${config.architecture}; --logits gives a classifier's scores`,
    );
  checkTokenRows(rows, config);
  const scorer = await LogprobScorer.open(policy, engine);
  try {
    const sequences = rows.map((row) => ({ prompt: row.slice(0, 1), completion: row.slice(1) }));
    return await scorer.logprobs(sequences, batch, 1);
  } finally {
    await scorer.close();
  }
}

const outputToken = ({ labels, padTokenId }: DecoderConfig, row: readonly number[]) =>
  labels === undefined ? row.length - 1 : scoredToken(row, padTokenId);

/** For each row, the logits after its last token [V], or a classifier's scores [labels]. */
export async function lastLogits(
  folder: string,
  rows: readonly (readonly number[])[],
  engine: EngineSettings,
): Promise<number[][]> {
  const policy = await openPolicyFolder(folder);
  checkTokenRows(rows, policy.config);
  const model = await LoadedModel.open(policy, logitsGraph, engine);
  try {
    const results: number[][] = [];
    for (let start = 0; start < rows.length; start += batch) {
      const part = rows.slice(start, start + batch);
      const { tokens } = packBatch(part.map((prompt) => ({ prompt, completion: [] })));
      const length = tokens.shape[1]!;
      const predictors = integers(
        part.map((row, i) => i * length + outputToken(policy.config, row)),
      );
      const { logits } = await model.run({ tokens, predictors }, length);
      const width = logits!.shape[1]!;
      const data = Array.from(logits!.data, Number);
      results.push(...part.map((_, i) => data.slice(i * width, (i + 1) * width)));
    }
    return results;
  } finally {
    await model.close();
  }
}
