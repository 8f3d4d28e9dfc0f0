// Scores whole answers with a sequence classifier. A pass always has a full batch of sequences of
// the same padded length, so that the other sequences of a batch do not change a score's bits.

import { AnnealError } from '../../errors.ts';
import { saveClassifier } from '../files/classifier-folder.ts';
import { openPolicyFolder } from '../files/policy-folder.ts';
import { logitsGraph } from '../model/logprob-graph.ts';
import { integers, scoredToken } from '../model/packing.ts';
import { createSequenceEncoder } from '../text/prompt-format.ts';
import { readTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { describeModelFolder } from './describe-model-folder.ts';
import type { ClassifierJob, DeviceSettings, ModelInfo, Progress, ScoreJob } from './jobs.ts';
import { LoadedModel } from './loaded-model.ts';
import { mergeAdapters } from './merge.ts';

/** Lengths are padded to multiples of this; sequences of the same padded length go together. */
const lengthStep = 32;

export class SequenceClassifier {
  readonly #model: LoadedModel;
  readonly #tokenizer: Tokenizer;

  private constructor(model: LoadedModel, tokenizer: Tokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
  }

  /** @throws AnnealError InvalidModel, also for a model that does not give a single score */
  static async open(model: string, engine: DeviceSettings): Promise<SequenceClassifier> {
    const folder = await openPolicyFolder(model);
    checkSingleScore(model, folder.config);
    const tokenizer = await readTokenizer(folder.base);
    return new SequenceClassifier(await LoadedModel.open(folder, logitsGraph, engine), tokenizer);
  }

  /** The job's scores; see ModelService. */
  async scores(
    { sequences, promptFormat, batchSize, maxLength }: Omit<ScoreJob, 'engine' | 'model'>,
    onProgress?: (progress: Progress) => void,
  ): Promise<(number | null)[]> {
    const encode = await createSequenceEncoder(
      this.#tokenizer,
      promptFormat,
      this.#model.config.vocabSize,
    );
    const rows = await encode(sequences);
    const longest = Math.min(maxLength, this.#model.config.maxPositions);
    const scores: (number | null)[] = rows.map(() => null);
    const fit = [...rows.keys()].filter((i) => rows[i]!.length > 0 && rows[i]!.length <= longest);
    let done = rows.length - fit.length;
    for (const [length, alike] of Map.groupBy(fit, (i) => paddedLength(rows[i]!)))
      for (let start = 0; start < alike.length; start += batchSize) {
        const places = alike.slice(start, start + batchSize);
        const part = places.map((i) => rows[i]!);
        (await this.#run(part, length, batchSize)).forEach((score, i) => {
          scores[places[i]!] = score;
        });
        done += places.length;
        onProgress?.({ done, total: rows.length, unit: 'programs' });
      }
    return scores;
  }

  close(): Promise<void> {
    return this.#model.close();
  }

  /** Scores of rows of at most `length` tokens, in a batch that is filled up with zeros. */
  async #run(
    rows: readonly (readonly number[])[],
    length: number,
    batchSize: number,
  ): Promise<number[]> {
    const tokens = new Array<number>(batchSize * length).fill(0);
    rows.forEach((row, b) => {
      tokens.splice(b * length, row.length, ...row);
    });
    const { padTokenId } = this.#model.config;
    const ends = Array.from(
      { length: batchSize },
      (_, b) => b * length + scoredToken(rows[b] ?? [], padTokenId),
    );
    const feeds = {
      tokens: integers(tokens, [batchSize, length]),
      predictors: integers(ends),
    };
    const { logits } = await this.#model.run(feeds, length);
    return Array.from(logits!.data, Number).slice(0, rows.length);
  }
}

function paddedLength({ length }: readonly number[]): number {
  return Math.ceil(length / lengthStep) * lengthStep;
}

/** Run the job; see ClassifierJob. @throws AnnealError InvalidModel */
export async function makeClassifier({ model, seed, out }: ClassifierJob): Promise<ModelInfo> {
  const { lora } = await openPolicyFolder(model);
  await (lora ? mergeAdapters(model, out) : saveClassifier(model, out, seed));
  const info = await describeModelFolder(out);
  checkSingleScore(model, info);
  return info;
}

/** @throws AnnealError InvalidModel for a language model, or a classifier of several labels */
export function checkSingleScore(
  model: string,
  { architecture, labels }: { architecture: string; labels?: number | null | undefined },
): void {
  if (labels === 1) return;
  const found = labels == null ? 'a language model' : `a classifier of ${labels} labels`;
  throw new AnnealError(
    'InvalidModel',
    `${model}: expected a reward model, a …ForSequenceClassification with one label (num_labels 1), found ${architecture}, ${found}; name a model trained to score answers, or train one with anneal reward-model train`,
  );
}
