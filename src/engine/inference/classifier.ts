// Scores of whole answers by a sequence classifier. Every pass has the shape that its longest
// sequence's own length asks for and a full batch, so that what a sequence is scored beside
// changes no bit of its score. Axes: B sequences, T time, D model width.

import { AnnealError } from '../../errors.ts';
import { saveClassifier } from '../files/classifier-folder.ts';
import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { openWeights } from '../files/weights.ts';
import { logitsGraph } from '../model/logprob-graph.ts';
import { integers } from '../model/packing.ts';
import { rotaryFeeds } from '../model/rope.ts';
import { Session } from '../runtime/session.ts';
import { createSequenceEncoder } from '../text/prompt-format.ts';
import { readTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { adapterFeeds, type Feeds } from './adapter-feeds.ts';
import type { ClassifierJob, DeviceSettings, ModelInfo, Progress, ScoreJob } from './jobs.ts';
import { mergeAdapters } from './merge.ts';
import { describeModelFolder } from './model-info.ts';

/** Lengths are padded to multiples of this, and sequences of one such length go together. */
const lengthStep = 32;

export class RewardModel {
  private readonly folder: PolicyFolder;
  private readonly tokenizer: Tokenizer;
  private readonly session: Session;
  private readonly adapters: Feeds;

  private constructor(
    folder: PolicyFolder,
    tokenizer: Tokenizer,
    session: Session,
    adapters: Feeds,
  ) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.session = session;
    this.adapters = adapters;
  }

  /** @throws AnnealError InvalidModel for a model that gives no single score */
  static async open(model: string, { device, threads }: DeviceSettings): Promise<RewardModel> {
    const folder = await openPolicyFolder(model);
    const { base, config, lora } = folder;
    checkSingleScore(model, config);
    const tokenizer = await readTokenizer(base);
    const weights = await openWeights(base, config);
    const graph = logitsGraph(config, weights, lora);
    const session = await Session.create(graph, { device, threads, files: weights.files });
    return new RewardModel(folder, tokenizer, session, await adapterFeeds(folder));
  }

  /** The job's scores; see ModelService. */
  async scores(
    { sequences, promptFormat, batchSize, maxLength }: Omit<ScoreJob, 'kind' | 'engine' | 'model'>,
    onProgress?: (progress: Progress) => void,
  ): Promise<(number | null)[]> {
    const { config } = this.folder;
    const encode = await createSequenceEncoder(this.tokenizer, promptFormat);
    const rows = sequences.map(({ prompt, completion }) => encode(prompt, completion));
    const longest = Math.min(maxLength, config.maxPositions);
    const scores: (number | null)[] = rows.map(() => null);
    const fit = [...rows.keys()].filter((i) => rows[i]!.length > 0 && rows[i]!.length <= longest);
    let done = rows.length - fit.length;
    for (const [length, alike] of Map.groupBy(fit, (i) => paddedLength(rows[i]!)))
      for (let start = 0; start < alike.length; start += batchSize) {
        const places = alike.slice(start, start + batchSize);
        const part = places.map((i) => rows[i]!);
        (await this.run(part, length, batchSize)).forEach((score, i) => {
          scores[places[i]!] = score;
        });
        done += places.length;
        onProgress?.({ done, total: rows.length, unit: 'programs' });
      }
    return scores;
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  /** Scores of rows of at most `length` tokens; rows that a full batch lacks are filled with 0. */
  private async run(
    rows: readonly (readonly number[])[],
    length: number,
    batchSize: number,
  ): Promise<number[]> {
    const tokens = new Array<number>(batchSize * length).fill(0);
    rows.forEach((row, b) => {
      tokens.splice(b * length, row.length, ...row);
    });
    const ends = Array.from(
      { length: batchSize },
      (_, b) => b * length + (rows[b]?.length ?? 1) - 1,
    );
    const { logits } = await this.session.run({
      tokens: integers(tokens, [batchSize, length]),
      predictors: integers(ends),
      ...rotaryFeeds(this.folder.config, length),
      ...this.adapters,
    });
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
