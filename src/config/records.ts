// The records that pass between the stages of an epoch, as they lie in JSONL files and in a
// workflow's payloads: prompts, rollouts, scores, references to artifacts, an epoch's metrics.

import { z } from 'zod';
import type { RlaifConfig, TrainingConfig } from './schema.ts';

/**
 * How a program is tested: a call with its arguments and what it must return (deep equality over
 * JSON); statements that call the entry and assert; or a whole run of the program, with what it
 * reads and what it must write (white space at the ends of lines does not count).
 */
const testSchema = z.union(
  [
    z.strictObject({ args: z.array(z.json()), returns: z.json() }),
    z.strictObject({ assert: z.string().min(1) }),
    z.strictObject({ stdin: z.string(), stdout: z.string() }),
  ],
  'expected {args, returns}, {assert} or {stdin, stdout}',
);

/** A line of a prompt file: a task, how it is tested, and a solution to measure against. */
export const promptSchema = z
  .strictObject({
    id: z.string().min(1),
    /** The text that the policy completes. */
    prompt: z.string().min(1),
    /** Name of the function that a completion must define; only whole programs need none. */
    entry: z
      .string()
      .regex(/^[A-Za-z_$][\w$]*$/)
      .or(z.literal(''))
      .default(''),
    language: z.enum(['javascript', 'typescript', 'python']).default('javascript'),
    /** Whether the program is the prompt with the completion after it, not the completion alone. */
    continues: z.boolean().optional(),
    tests: z.array(testSchema).min(1),
    /** A correct, clean solution: what a perfect completion would be. */
    reference: z.string().min(1),
  })
  .superRefine(({ entry, tests }, context) => {
    if (entry === '' && !tests.every((test) => 'stdin' in test))
      context.addIssue({
        code: 'custom',
        path: ['entry'],
        message: 'expected the name of the function that the tests call, found none',
      });
  });
export type Prompt = z.output<typeof promptSchema>;

/** One sampled completion. */
export interface Rollout {
  promptId: string;
  /** Index of the sample in its group, from 0. */
  sample: number;
  /** Token ids of the completion, the end-of-sequence token included where one was drawn. */
  tokens: number[];
  /** Log-probability of each token under the policy, at the temperature of sampling. */
  logprobs: number[];
  text: string;
  /** `stop`: ended by itself; `length`: cut at max_new_tokens. */
  finish: 'stop' | 'length';
}

/** How a judge came to a verdict. */
export interface Judged {
  /** Where the program stood among those of its request, 0 first to 1 last. */
  place: number | null;
  /** Name of the kept verdicts that it is from. Not in samples that an earlier version scored. */
  verdict?: string;
  /** The word of a second request, with the same in another order; null where none was asked for. */
  second: { value: number; criteria: Record<string, number>; verdict?: string } | null;
}

/** What the declared rewards said of one completion. */
export interface Score {
  /** Weighted sum in [0, 1]; null where a reward is missing (never 0 for missing). */
  reward: number | null;
  /** Every declared reward by its name, with its criteria in [0, 1] and a word on failures. */
  rewards: Record<
    string,
    {
      value: number | null;
      criteria: Record<string, number>;
      note?: string;
      /** Of a large model's word: how it came about. */
      judged?: Judged;
    }
  >;
}
export type ScoredRollout = Rollout &
  Score & {
    /**
     * What names the program whatever its layout, comments and local names: a hash, null where
     * it does not parse. Not in samples that an earlier version scored.
     */
    program?: string | null;
  };

/** A line of a file of preference pairs: two answers to a prompt, the first the better one. */
export const preferencePairSchema = z.object({
  /** Of the prompt, where it is known. */
  id: z.string().optional(),
  prompt: z.string().min(1),
  chosen: z.string(),
  rejected: z.string(),
  /** By how much the chosen answer's reward is higher. */
  margin: z.number().optional(),
});
export type PreferencePair = z.output<typeof preferencePairSchema>;

/** A file in a run's folder, by relative path and content. */
export interface ArtifactRef {
  path: string;
  sha256: string;
  bytes: number;
  /** Records in the file, where it is a list. */
  count?: number;
}

/** A checkpoint folder: `sha256` is that of its manifest, which lists every file's hash. */
export interface CheckpointRef {
  path: string;
  sha256: string;
  epoch: number;
  /** Optimiser steps taken since the start of the run. */
  step: number;
  /** Of adapters: the whole model that they are put on. */
  base?: CheckpointRef;
}

/** The scored training samples of an epoch. */
export interface EpochVerdicts {
  epoch: number;
  /** A list of references to their shards, in order. */
  shards: ArtifactRef;
}

/** Of a run that refits reward models: those in force, and what the next refit learns from. */
export interface Refitting {
  /** By the name of the reward. */
  rewardModels: Record<string, CheckpointRef>;
  /** Of the phase's epochs so far. */
  verdicts: EpochVerdicts[];
}

/** What was in force in an epoch: the run's settings with the phase's overrides applied. */
export interface Settings {
  rlaif: RlaifConfig;
  training: TrainingConfig;
}

/**
 * A line of metrics.jsonl. Names follow the original analysis page and TRL. Free of wall-clock
 * times, so that the same run gives the same bytes; durations are in timings.jsonl.
 */
export interface EpochMetrics {
  epoch: number;
  /** `start` for the line that describes the policy before the first epoch. */
  phase: string;
  /** Mean reward of the epoch's samples, at that phase's temperature. Null on the start line. */
  reward: number | null;
  reward_std: number | null;
  /** Mean over prompts of the best reward in the group. */
  best_of_n_reward: number | null;
  /** Reward-weighted negative log-likelihood plus the KL term: the original system's loss. */
  loss: number | null;
  /** The objective that the configured algorithm minimised. */
  policy_loss: number | null;
  /** Population variance of the rewards of all samples. */
  reward_variance: number | null;
  /** Share of unique completions within a group, mean over groups. */
  diversity: number | null;
  /** Mean pairwise distance of completions within a group. */
  diversity_score: number | null;
  /**
   * Share of programs distinct in their group but for layout, comments and local names, mean over
   * groups. Null where the samples do not say.
   */
  distinct_programs: number | null;
  /** best_of_n_reward - reward. */
  gap: number | null;
  /** KL(policy || reference) a token, k3 estimator, nats. */
  kl: number | null;
  /** The same by the k1 estimator: noisier, and it can come out negative. */
  kl_k1: number | null;
  /** The KL penalty in force at the epoch's end: kl_penalty, unless kl_target scales it. */
  kl_coefficient: number | null;
  /** Mean entropy of the sampling distribution a token, nats. */
  entropy: number | null;
  grad_norm: number | null;
  learning_rate: number | null;
  frac_reward_zero_std: number | null;
  'clip_ratio/low_mean': number | null;
  'clip_ratio/high_mean': number | null;
  /** Both together. */
  'clip_ratio/region_mean': number | null;
  'completions/mean_length': number | null;
  'completions/min_length': number | null;
  'completions/max_length': number | null;
  'completions/clipped_ratio': number | null;
  num_tokens: number | null;
  /** Counts: sampled, missing a score, kept by the filter, and optimiser steps taken. */
  samples: number;
  samples_missing: number;
  samples_trained: number;
  steps: number;
  /** Share of samples in each tenth of [0, 1]; ten numbers. */
  reward_histogram: number[] | null;
  /** Held-out prompts at the evaluation's fixed temperature. */
  'eval/reward': number;
  'eval/best_of_n_reward': number;
  'eval/reward_variance': number;
  'eval/gap': number;
  'eval/diversity': number;
  'eval/distinct_programs': number | null;
  /** Null where there is one sample a prompt. */
  'eval/diversity_score': number | null;
  /** Share of samples that pass all tests; null where no reward runs tests. */
  'eval/pass_rate': number | null;
  /** One greedy completion a held-out prompt; null where evaluation.greedy is off. */
  'eval/greedy/reward': number | null;
  'eval/greedy/pass_rate': number | null;
  /** Unbiased estimates of pass@k, for powers of two and the group size. */
  [passAtK: `eval/pass@${number}`]: number | null;
  /**
   * `rewards/{name}/mean`, `…/std` (population) and `…/{criterion}`, also under `eval/`; and
   * `rewards/{name}/refit_…` where that reward model was refitted before the epoch.
   */
  [reward: `${string}rewards/${string}`]: number | null;
  settings: Settings | null;
}
