// Rollouts and their scores, as they are written to the shards of an epoch.

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
