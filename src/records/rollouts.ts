// Rollouts and their scores: lines of an epoch's shards.

/** One sampled completion. */
export interface Rollout {
  promptId: string;
  /** Index of the sample in its group, from 0. */
  sample: number;
  /** Token ids of the completion, including the end-of-sequence token if it was drawn. */
  tokens: number[];
  /** Log-probability of each token under the policy, at the sampling temperature. */
  logprobs: number[];
  text: string;
  /** `stop`: ended by itself; `length`: truncated at max_new_tokens. */
  finish: 'stop' | 'length';
}

/** Details of a judge's verdict. */
export interface Judged {
  /** Position of the program in its request, from 0 (first) to 1 (last). */
  place: number | null;
  /** Name of the cached verdicts that it comes from. Samples of earlier versions have none. */
  verdict?: string;
  /** The verdict of a second request with another order; null if there was none. */
  second: { value: number; criteria: Record<string, number>; verdict?: string } | null;
}

/** The declared rewards of one completion. */
export interface Score {
  /** Weighted sum in [0, 1]; null, never 0, if a reward is missing. */
  reward: number | null;
  /** Every declared reward by name, with its criteria in [0, 1] and a note on failures. */
  rewards: Record<
    string,
    {
      value: number | null;
      criteria: Record<string, number>;
      note?: string;
      /** Name of the kept answer that it comes from, for rewards of one's own. */
      kept?: string;
      /** Only of judges: details of the verdict. */
      judged?: Judged;
    }
  >;
}
export type ScoredRollout = Rollout &
  Score & {
    /**
     * Hash of the program without layout, comments and local names; null if it does not parse.
     * Samples of earlier versions have none.
     */
    program?: string | null;
  };

/** Rewards of a constant group differ by no more than this, since judges answer in floats. */
const constantSpread = 1e-6;

/** Whether all rewards of a group are equal, up to rounding. */
export function isConstant(rewards: readonly number[]): boolean {
  return Math.max(...rewards) - Math.min(...rewards) <= constantSpread;
}
