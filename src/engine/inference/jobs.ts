// Jobs of the model process that do not train, and their results. Only types. Folders are absolute
// paths on the worker's machine.

import type { EngineConfig } from '../../config/schema/engine.ts';
import type { PromptFormat } from '../../config/schema/model.ts';
import type { Lora } from '../files/adapter-config.ts';
import type { MemoryEstimate } from '../model/memory.ts';
import type { DrawSettings } from '../sampling/rollout-request.ts';

/** Engine settings that the model process needs; `stall_seconds` is an hour by default. */
export type EngineSettings = Omit<EngineConfig, 'snapshot_seconds' | 'stall_seconds'> &
  Partial<Pick<EngineConfig, 'stall_seconds'>>;
/** The settings that select device and threads. */
export type DeviceSettings = Pick<EngineSettings, 'device' | 'threads' | 'stall_seconds'>;

/** Check a model folder and describe it. */
export interface InspectJob {
  model: string;
  /** Also check that prompts can be written in this format. */
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
  /** A completion ends at the first of these texts, which is not part of its text. */
  stopStrings: readonly string[];
  /** A sample is a function of the policy and (seed, stream, prompt id, sample index). */
  seed: number;
  /** Separates the draws of different epochs and splits, such as `train/8`. */
  stream: string;
}

/** Score whole answers with a sequence classifier with one label: a reward model. */
export interface ScoreJob {
  engine: DeviceSettings;
  /** Hugging Face folder of the classifier. */
  model: string;
  sequences: readonly { prompt: string; completion: string }[];
  /** How prompt and completion become tokens. */
  promptFormat: PromptFormat;
  /** Sequences in one pass. */
  batchSize: number;
  /** In tokens. */
  maxLength: number;
}

/** Write a sequence classifier with one label. */
export interface ClassifierJob {
  /** A language model, which gets a new head, or a classifier; adapters are merged. */
  model: string;
  /** Seeds a new head. */
  seed: number;
  /** An empty folder, written to as a Hugging Face folder. */
  out: string;
}

/** A description of a model folder that can be sampled from and trained. */
export interface ModelInfo {
  architecture: string;
  /** For a folder of adapters; everything else then describes its base. */
  lora: (Lora & { base: string }) | null;
  parameters: number;
  /** Number of parameters by stored data type. */
  dtypes: Record<string, number>;
  /** What the folder has and the model does not read: tensors, and keys of config.json. */
  unused: { tensors: string[]; keys: string[] };
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
  /** Null if every layer sees the whole sequence. */
  slidingWindow: { tokens: number; layers: number } | null;
  rope: { kind: string; theta: number; factor: number | null };
  /** Number of a classifier's scores; null for a language model. */
  labels: number | null;
  eosTokenIds: number[];
  chatTemplate: boolean;
  /** Estimates, in bytes. */
  memory: MemoryEstimate;
  /** Of all files in the folder. */
  bytes: number;
  files: { name: string; bytes: number }[];
}

/** Progress of a job, in its unit, such as tokens or steps. */
export interface Progress {
  done: number;
  total: number;
  unit: string;
  /** Shown to people, such as `loss 0.171`. */
  note?: string;
  /** Folder of a snapshot that has just been taken. */
  snapshot?: string | undefined;
}
