// The KL penalty outside the objective: the reference's log-probabilities, k1 in the reward, and the
// adaptive coefficient. k2 in the loss is in objective.ts.

import type { Progress } from '../../engine/inference/jobs.ts';
import { LogprobScorer } from '../../engine/inference/logprob-scorer.ts';
import type { Sequence } from '../../engine/model/packing.ts';
import type { TrainedAdvantage, TrainJob, TrainSample } from './job.ts';

/**
 * Log-probabilities of the completions under the reference. If the reference is the policy that
 * sampled, the samples already have them.
 */
export async function referenceLogprobs(
  { model, reference, engine, samples, settings }: TrainJob,
  sequences: readonly Sequence[],
  onProgress: (progress: Progress) => void,
): Promise<(readonly number[])[]> {
  if (reference === model) return samples.map(({ logprobs }) => logprobs);
  const { rlaif, training } = settings;
  const policy = await LogprobScorer.open(reference, engine);
  try {
    return await policy.logprobs(
      sequences,
      training.microbatch_size,
      rlaif.generation_temperature,
      (done) => onProgress({ done, total: sequences.length, unit: 'samples', note: 'reference' }),
    );
  } finally {
    await policy.close();
  }
}

/** Advantages minus the KL penalty of `k1_reward`; null for other placements. */
export function penalizedAdvantages(
  { samples, settings: { rlaif } }: TrainJob,
  reference: readonly (readonly number[])[],
): TrainedAdvantage[] | null {
  if (rlaif.kl_placement !== 'k1_reward') return null;
  const penalties = k1Penalties(samples, reference, rlaif.kl_penalty);
  return samples.map(({ promptId, sample, advantage }, i) => ({
    promptId,
    sample,
    advantage: advantage - penalties[i]!,
  }));
}

/**
 * k1 in the reward: kl_penalty · (Σ (log π − log π_ref) − its mean over the sample's group). Centred
 * because advantages are linear in the reward and the group's baseline is already subtracted.
 */
export function k1Penalties(
  samples: readonly Pick<TrainSample, 'promptId' | 'logprobs'>[],
  reference: readonly (readonly number[])[],
  klPenalty: number,
): number[] {
  const k1 = samples.map(({ logprobs }, i) =>
    logprobs.reduce((sum, logprob, t) => sum + logprob - reference[i]![t]!, 0),
  );
  const groups = Map.groupBy(samples.keys(), (i) => samples[i]!.promptId);
  const mean = (indices: number[]) => indices.reduce((sum, i) => sum + k1[i]!, 0) / indices.length;
  const means = new Map([...groups].map(([id, indices]) => [id, mean(indices)]));
  return samples.map(({ promptId }, i) => klPenalty * (k1[i]! - means.get(promptId)!));
}

/**
 * The factor on kl_penalty after a step with `kl` per token: up or down by at most 2%, in proportion
 * to the distance from the target (arXiv 1909.08593, section 2.2).
 */
export function nextKlScale(scale: number, kl: number, target: number | null): number {
  if (target === null) return scale;
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return scale * (1 + 0.1 * error);
}
