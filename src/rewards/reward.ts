// The interface of a reward, which scoreCompletions combines.

import type { ResolveInput } from '../config/paths.ts';
import type { PromptFormat } from '../config/schema/model.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import type { Prompt } from '../records/prompts.ts';
import type { Score } from '../records/rollouts.ts';

/** A completion and the prompt it answers. */
export interface ScoreItem {
  prompt: Prompt;
  /** The text as it was sampled. */
  completion: string;
  /** The whole program: of a chat model's answer without its prose, after the prompt it continues. */
  program: string;
}

/** One reward's result for one completion: a value in [0, 1], null if it is missing. */
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

/** Small files that all workers of a store share; each is written whole or not at all. */
export interface SharedFiles {
  /** Null if there is no such file. */
  read(path: string): Promise<string | null>;
  /** Write a file, replacing any other. */
  write(path: string, text: string): Promise<void>;
  /** Write a file unless it exists. @returns whether it was written. */
  create(path: string, text: string): Promise<boolean>;
  /** Names of the files in a folder, in no order; none if the folder is missing. */
  list(folder: string): Promise<string[]>;
  remove(path: string): Promise<void>;
}

/** Services that a judge needs. */
export type JudgeServices = Omit<RewardServices, 'models'>;

/** One reward of a run, ready to score. */
export interface Reward {
  readonly name: string;
  /** Its share in the weighted mean, before the weights are normalised. */
  readonly weight: number;
  /**
   * Score completions; results in their order. Faults of a completion are in its result.
   * @throws AnnealError InvalidData for a prompt whose reference fails its tests; ProcessLost if a
   * sandbox process cannot be started.
   */
  score(items: readonly ScoreItem[], options?: ScoreOptions): Promise<CriterionResult[]>;
}

/** What a kind of reward provides; kinds.ts has them all. */
export interface RewardImplementation<C extends RewardConfig> {
  /** @throws AnnealError InvalidConfig if it cannot be set up. */
  create(config: C, services: RewardServices): Reward;
  /** Check what depends on the worker, before a run starts. @throws AnnealError InvalidConfig */
  check?(config: C): void;
  /** Replace the files that the config names by their content. @throws AnnealError InvalidConfig */
  readFiles?(config: C, resolve: ResolveInput): Promise<C>;
}

/** Texts to be scored by a sequence classifier. */
export interface SequenceScoring {
  /** Hugging Face folder of the classifier, an absolute path. */
  model: string;
  sequences: readonly { prompt: string; completion: string }[];
  promptFormat: PromptFormat;
  /** Sequences per forward pass. */
  batchSize: number;
  /** In tokens. */
  maxLength: number;
}

/** Services that the creator of rewards gives them. */
export interface RewardServices {
  models: {
    /**
     * The classifier's score after the last token of each sequence, in order; null for a sequence
     * of more than `maxLength` tokens. A score does not depend on the other sequences.
     * @throws AnnealError InvalidModel
     */
    scores(scoring: SequenceScoring, options?: ScoreOptions): Promise<(number | null)[]>;
  };
  shared: SharedFiles;
  /** The run whose budget pays for a judge. */
  run: string;
  /** How often the run was resumed after a judge stopped it: each time grants the budget again. */
  resumes: number;
}
