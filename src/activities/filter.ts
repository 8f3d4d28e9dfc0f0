// Turns an epoch's scored samples into the batch to train on and a list of dropped samples.

import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import { type BatchSample, buildBatch } from '../rl/batch.ts';
import type { TrainSample } from '../rl/policy/job.ts';
import { runActivity } from './activity.ts';
import type { Batch, FilterInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { type Prompts, readPromptsById, readScored } from './samples.ts';

export function filterWith(dependencies: Dependencies) {
  return async function filter(input: FilterInput): Promise<Batch> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, { epoch: input.epoch }, async () => {
      const prompts = await readPromptsById(store, input.prompts);
      const batch = buildBatch(await readScored(store, input.scored), input.rlaif);
      const rows = batch.samples.map((sample) => trainSample(sample, prompts));
      await store.write(layout.dropped(input.epoch), encodeJsonl(batch.dropped));
      const path = layout.batch(input.epoch);
      return {
        samples: await store.write(path, encodeJsonl(rows), rows.length),
        counts: batch.counts,
        ...(input.listVerdicts && {
          verdicts: await store.write(layout.scoredShards(input.epoch), encodeJsonl(input.scored)),
        }),
      };
    });
  };
}

function trainSample(sample: BatchSample, prompts: Prompts): TrainSample {
  const { promptId, sample: index, tokens, logprobs, advantage, reward } = sample;
  const { prompt } = prompts.get(promptId)!;
  return { promptId, prompt, sample: index, tokens, logprobs, advantage, reward };
}
