// What the model process is asked for without training, and what it answers. Only types. Folders are
// absolute paths on the machine of the worker.

import type { EngineConfig } from '../../config/schema/engine.ts';
import type { PromptFormat } from '../../config/schema/model.ts';
import type { Lora } from '../files/adapter-folder.ts';
import type { MemoryEstimate } from '../model/memory.ts';
import type { DrawSettings } from '../sampling/rollout-request.ts';

/** Of a run's, what the model process needs; without `stall_seconds` a job may take an hour a step. */
export type EngineSettings = Omit<EngineConfig, 'snapshot_seconds' | 'stall_seconds'> &
  Partial<Pick<EngineConfig, 'stall_seconds'>>;
/** Of it, what says where and how a model runs. */
export type DeviceSettings = Pick<EngineSettings, 'device' | 'threads' | 'stall_seconds'>;

/** Read a model folder whole and check it. */
export interface InspectJob {
  model: string;
  /** Check too that prompts can be written like this. */
  promptFormat?: PromptFormat | undefined;
}

/** Sample `samplesPerPrompt` completions of each prompt. */
export interface GenerateJob {
  engine: EngineSettings;
  /** Hugging Face folder of the policy. */
  model: string;
  prompts: { id: string; prompt: string }[];
  /** How the prompts become tokens. */
  promptFormat: PromptFormat;
  samplesPerPrompt: number;
  draw: DrawSettings;
  maxNewTokens: number;
  /** A completion ends with the first of these texts, which its text leaves out. */
  stopStrings: readonly string[];
  /** A sample is a function of (seed, stream, prompt id, sample index) and the policy. */
  seed: number;
  /** What tells the draws of one epoch and split from another's, such as `train/8`. */
  stream: string;
}

/** Score whole answers by a sequence classifier with one label: a reward model. */
export interface ScoreJob {
  engine: DeviceSettings;
  /** Hugging Face folder of the classifier. */
  model: string;
  sequences: readonly { prompt: string; completion: string }[];
  /** How prompt and completion become tokens. */
  promptFormat: PromptFormat;
  /** Sequences of one pass. */
  batchSize: number;
  /** In tokens. */
  maxLength: number;
}

/** Make a folder a sequence classifier with one label. */
export interface ClassifierJob {
  /** A language model, which gets a new head; a classifier; or adapters of one, which are merged. */
  model: string;
  /** Seeds a new head. */
  seed: number;
  /** An empty folder, written to as a Hugging Face folder. */
  out: string;
}

/** A description of a model folder that can be sampled from and trained. */
export interface ModelInfo {
  architecture: string;
  /** Of a folder of adapters; everything else is then its base's. */
  lora: (Lora & { base: string }) | null;
  parameters: number;
  /** Parameters by the data type that they are stored in. */
  dtypes: Record<string, number>;
  layers: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabSize: number;
  /** Whether the output shares the embeddings' weights. */
  tiedEmbeddings: boolean;
  /** Context length in tokens. */
  maxPositions: number;
  /** Null where every layer sees the whole sequence. */
  slidingWindow: { tokens: number; layers: number } | null;
  rope: { kind: string; theta: number; factor: number | null };
  /** Scores of a classifier; null for a language model. */
  labels: number | null;
  eosTokenIds: number[];
  chatTemplate: boolean;
  /** Estimates, in bytes. */
  memory: MemoryEstimate;
  /** Of every file in the folder. */
  bytes: number;
  files: { name: string; bytes: number }[];
}

/** Progress of a job: done of total, in the unit the job counts in (tokens or steps). */
export interface Progress {
  done: number;
  total: number;
  unit: string;
  /** A word for people, such as `loss 0.171`. */
  note?: string;
  /** Folder of a snapshot that has just been taken. */
  snapshot?: string | undefined;
}
