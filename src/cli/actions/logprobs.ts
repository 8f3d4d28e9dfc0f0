// Prints log-probabilities and logits of given token ids.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { resolveInput } from '../../config/paths.ts';
import { engineSchema } from '../../config/schema/engine.ts';
import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import { lastLogits, tokenLogprobs } from '../../engine/inference/token-rows.ts';
import { AnnealError } from '../../errors.ts';

const engine = engineSchema.parse({});

/**
 * Prints `{"logprobs": [[…]], "logits": [[…]]}`: for each row of token ids the log-probability of
 * every token but the first, and with `logits` the logits after the last token. For a classifier
 * `logits` prints only its scores.
 * @throws AnnealError InvalidData unless the file holds rows of this model's token ids
 */
export async function printLogprobs(
  model: string,
  options: { tokens: string; logits?: boolean },
): Promise<void> {
  const folder = resolveInput(model, 'model');
  const rows = await readTokenRows(options.tokens);
  const { config } = await openPolicyFolder(folder);
  const onlyScores = options.logits && config.labels !== undefined;
  const output = {
    ...(!onlyScores && { logprobs: await tokenLogprobs(folder, rows, engine) }),
    ...(options.logits && { logits: await lastLogits(folder, rows, engine) }),
  };
  process.stdout.write(`${JSON.stringify(output)}\n`);
}

async function readTokenRows(file: string): Promise<number[][]> {
  const expected = `${file}: expected a JSON list of rows of token ids, such as [[1, 2, 3], [4, 5]]`;
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
