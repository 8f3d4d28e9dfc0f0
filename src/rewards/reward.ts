// What every reward is, whatever it judges by: the interface that scoreCompletions combines.

import type { PromptFormat } from '../config/schema/model.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import type { Prompt } from '../records/prompts.ts';
import type { Score } from '../records/rollouts.ts';

/** A completion and the prompt it answers. */
export interface ScoreItem {
  prompt: Prompt;
  /** The whole program, as it was sampled. */
  completion: string;
}

/** One reward's word on one completion: a value in [0, 1], null where it could not be had. */
export type CriterionResult = Score['rewards'][string];

export interface ScoreProgress {
  done: number;
  total: number;
  unit: string;
}

export interface ScoreOptions {
  /** Aborting ends the work and rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: ScoreProgress) => void) | undefined;
}

/** Small files that all workers of a store share; each is there whole or not at all. */
export interface SharedFiles {
  /** Null where there is no such file. */
  read(path: string): Promise<string | null>;
  /** Put a file there, in place of any other. */
  write(path: string, text: string): Promise<void>;
  /** Put a file there unless there is one. @returns whether it was put. */
  create(path: string, text: string): Promise<boolean>;
  /** Names of the files in a folder, in no order; none where there is no folder. */
  list(folder: string): Promise<string[]>;
  remove(path: string): Promise<void>;
}

/** What a judge calls on. */
export type JudgeServices = Omit<RewardServices, 'models'>;

/** One entry of a run's declared list of rewards, ready to judge. */
export interface Reward {
  readonly name: string;
  /** Its share in the weighted mean, before the weights are normalised. */
  readonly weight: number;
  /**
   * Judge completions; results in their order. What is wrong with a completion is in its result.
   * @throws AnnealError InvalidData for a prompt that cannot be judged against; ProcessLost where
   * a judge's process cannot be started.
   */
  score(items: readonly ScoreItem[], options?: ScoreOptions): Promise<CriterionResult[]>;
}

/** What a kind of reward provides; kinds.ts has them all. */
export interface RewardImplementation<C extends RewardConfig> {
  /** @throws AnnealError InvalidConfig if it cannot be set up. */
  create(config: C, services: RewardServices): Reward;
  /** Replace the files that the config names by their content. @throws AnnealError InvalidConfig */
  readFiles?(config: C): Promise<C>;
}

/** Texts to be scored by a sequence classifier. */
export interface SequenceScoring {
  /** Hugging Face folder of the classifier, an absolute path. */
  model: string;
  sequences: readonly { prompt: string; completion: string }[];
  promptFormat: PromptFormat;
  /** Sequences of one pass. */
  batchSize: number;
  /** In tokens. */
  maxLength: number;
}

/** What rewards may call on, wired by whoever creates them. */
export interface RewardServices {
  models: {
    /**
     * The classifier's score after the last token of each sequence, in their order; null for one
     * of more than `maxLength` tokens. A sequence's score is the same whatever is scored beside it.
     * @throws AnnealError InvalidModel
     */
    scores(scoring: SequenceScoring, options?: ScoreOptions): Promise<(number | null)[]>;
  };
  shared: SharedFiles;
  /** The run on whose account a judge is asked. */
  run: string;
  /** How often people let the run go on after a judge had stopped it: each grants a budget. */
  resumes: number;
}
