// The model families. All share one decoder (decoder.ts) and differ in a few traits, so a family
// that needs no new trait is one entry here. A new trait (Gemma's GELU, its norms after a block) is
// a field of DecoderConfig that decoder.ts and parameters.ts read. Each family also needs a parity
// fixture (test/parity/make_fixtures.py).

import type { ConfigFile, Refuse } from './config-file.ts';
import { type LayerWindows, noWindows, slidingWindows } from './sliding-windows.ts';

/** Which linear layers have biases. */
export interface Biases {
  /** The query, key and value projections. */
  attention: boolean;
  /** Attention's output projection. */
  output: boolean;
  /** The three projections of the MLP. */
  mlp: boolean;
}

export interface Family {
  /** Prefix of its class names in transformers, as in `Qwen2ForCausalLM`. */
  classPrefix: string;
  /** RMSNorm over each head of queries and keys. */
  queryKeyNorm: boolean;
  biases(config: ConfigFile): Biases;
  /** Context length, if config.json gives none. */
  defaultMaxPositions: number;
  /** Keys that other families read, and transformers' classes of this one do not. */
  ignores: readonly (keyof ConfigFile)[];
  /** E, if config.json gives no `head_dim`. */
  defaultHeadDim(config: ConfigFile): number;
  /** Attention windows by layer. */
  windows(config: ConfigFile, refuse: Refuse): LayerWindows;
}

const windowKeys = ['use_sliding_window', 'sliding_window', 'layer_types'];

/** D / H */
const sharedWidth = (c: ConfigFile) => c.hidden_size / c.num_attention_heads;

/** By `model_type`, the family's name in transformers. */
export const families = {
  qwen2: {
    classPrefix: 'Qwen2',
    queryKeyNorm: false,
    biases: () => ({ attention: true, output: false, mlp: false }),
    defaultMaxPositions: 32_768,
    ignores: ['attention_bias', 'mlp_bias'],
    defaultHeadDim: sharedWidth,
    windows: slidingWindows,
  },
  qwen3: {
    classPrefix: 'Qwen3',
    queryKeyNorm: true,
    biases: (c) => ({ attention: c.attention_bias, output: c.attention_bias, mlp: false }),
    defaultMaxPositions: 32_768,
    ignores: ['mlp_bias'],
    defaultHeadDim: () => 128,
    windows: slidingWindows,
  },
  llama: {
    classPrefix: 'Llama',
    queryKeyNorm: false,
    biases: (c) => ({ attention: c.attention_bias, output: c.attention_bias, mlp: c.mlp_bias }),
    defaultMaxPositions: 2048,
    ignores: windowKeys,
    defaultHeadDim: sharedWidth,
    windows: noWindows,
  },
} satisfies Record<string, Family>;

export type ModelType = keyof typeof families;

/** The tasks a model is built for, by the ending of its class name in transformers. */
const tasks = { ForCausalLM: 'language-model', ForSequenceClassification: 'classifier' } as const;
export type Task = (typeof tasks)[keyof typeof tasks];

/** A class of transformers that the decoder implements, such as `Qwen2ForCausalLM`. */
export interface Architecture {
  name: string;
  modelType: ModelType;
  family: Family;
  task: Task;
}

/** Every family for every task. */
export const architectures: readonly Architecture[] = Object.entries(families).flatMap(
  ([modelType, family]) =>
    Object.entries(tasks).map(([ending, task]) => ({
      name: family.classPrefix + ending,
      modelType: modelType as ModelType,
      family,
      task,
    })),
);

/** The architecture of that name, if it is implemented. */
export function findArchitecture(name: string): Architecture | undefined {
  return architectures.find((architecture) => architecture.name === name);
}

/** The same family for another task. */
export function architectureFor(name: string, task: Task): Architecture | undefined {
  const modelType = findArchitecture(name)?.modelType;
  return architectures.find((other) => other.modelType === modelType && other.task === task);
}
