// A decoder's description, read from a Hugging Face config.json. Only what the graphs implement
// is accepted; everything else is refused by name rather than silently ignored.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { parseJson } from '../files/json.ts';
import { readStopTokens } from '../files/stop-tokens.ts';
import {
  type Refuse,
  type RopeFile,
  type RopeScaling,
  ropeScalingOf,
  ropeSchema,
} from './rope-scaling.ts';

/** The families that the decoder implements; each differs from the others in a few options. */
const families = ['Qwen2', 'Qwen3', 'Llama'] as const;
type Family = (typeof families)[number];
const heads = ['ForCausalLM', 'ForSequenceClassification'] as const;

const positive = z.int().positive();

/** The keys of config.json that matter here; others are kept as they are. */
const fileSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  hidden_size: positive,
  intermediate_size: positive,
  // A bound, since memory is taken for each before weights are looked at.
  num_hidden_layers: positive.max(1024),
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  vocab_size: positive,
  max_position_embeddings: positive.default(4096),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  partial_rotary_factor: z.number().nullish(),
  quantization_config: z.unknown().optional(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: positive.nullish(),
  max_window_layers: z.int().min(0).default(28),
  layer_types: z.array(z.string()).nullish(),
  id2label: z.record(z.string(), z.string()).optional(),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  pad_token_id: z.int().nullish(),
});
type ConfigFile = z.output<typeof fileSchema>;

/** What a graph is built from. Axis letters as in docs/notation.md. */
export interface DecoderConfig {
  architecture: string;
  /** D */
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  /** H */
  heads: number;
  /** K */
  kvHeads: number;
  /** E */
  headDim: number;
  /** V */
  vocabSize: number;
  maxPositions: number;
  normEpsilon: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  tiedEmbeddings: boolean;
  /** Biases on the query, key and value projections. */
  attentionBias: boolean;
  /** A bias on attention's output projection. */
  outputBias: boolean;
  mlpBias: boolean;
  /** RMSNorm over each head of queries and keys (Qwen3). */
  queryKeyNorm: boolean;
  /** For each layer, how many tokens back a query sees; undefined sees all. */
  windows: (number | undefined)[];
  /** Scores of a classifier, in place of next-token logits. */
  labels: number | undefined;
  /** Any of them ends a completion. */
  eosTokenIds: number[];
}

/**
 * Read `<folder>/config.json`, and beside it which tokens end a completion.
 * @throws AnnealError InvalidModel where it is missing, is no JSON, or asks for what is not built
 */
export async function readModelConfig(folder: string): Promise<DecoderConfig> {
  const file = join(folder, 'config.json');
  const parsed = fileSchema.safeParse(parseJson(file, await readConfigFile(file)));
  if (!parsed.success)
    throw new AnnealError('InvalidModel', `${file}: ${z.prettifyError(parsed.error)}`);
  const eosTokenIds = await readStopTokens(folder, parsed.data.eos_token_id);
  return { ...describe(parsed.data, file), eosTokenIds };
}

function describe(config: ConfigFile, file: string): Omit<DecoderConfig, 'eosTokenIds'> {
  const refuse = refusal(file);
  const { architecture, family, classifies } = architectureOf(config, refuse);
  const rope = config.rope_scaling ?? config.rope_parameters ?? {};
  checkOptions(config, rope, refuse);
  return {
    architecture,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    ...headsOf(config, family, refuse),
    vocabSize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: rope.rope_theta ?? config.rope_theta ?? 10000,
    ropeScaling: ropeScalingOf(rope, refuse),
    tiedEmbeddings: config.tie_word_embeddings,
    attentionBias: family === 'Qwen2' || config.attention_bias,
    outputBias: family !== 'Qwen2' && config.attention_bias,
    mlpBias: family === 'Llama' && config.mlp_bias,
    queryKeyNorm: family === 'Qwen3',
    windows: windowsOf(config, family, refuse),
    labels: classifies ? Object.keys(config.id2label ?? { 0: '', 1: '' }).length : undefined,
  };
}

function refusal(file: string): Refuse {
  return (found, supported) =>
    new AnnealError('InvalidModel', `${file}: found ${found}; supported: ${supported}`);
}

/** Options that would change what the model computes or how its weights are stored. */
function checkOptions(config: ConfigFile, rope: RopeFile, refuse: Refuse): void {
  if (config.hidden_act !== 'silu') throw refuse(`hidden_act '${config.hidden_act}'`, 'silu');
  if (config.quantization_config != null)
    throw refuse('quantization_config', 'weights in float32, float16 or bfloat16');
  const rotated = rope.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (rotated !== 1) throw refuse(`partial_rotary_factor ${rotated}`, '1');
}

function architectureOf(config: ConfigFile, refuse: Refuse) {
  const architecture = config.architectures[0]!;
  const head = heads.find((suffix) => architecture.endsWith(suffix));
  const family = architecture.slice(0, head && -head.length) as Family;
  if (!head || !families.includes(family))
    throw refuse(
      `architecture '${architecture}'`,
      families.flatMap((f) => heads.map((h) => f + h)).join(', '),
    );
  return { architecture, family, classifies: head === 'ForSequenceClassification' };
}

function headsOf(config: ConfigFile, family: Family, refuse: Refuse) {
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0)
    throw refuse(`${heads} heads over ${kvHeads} key-value heads`, 'a whole number a group');
  const headDim = config.head_dim ?? (family === 'Qwen3' ? 128 : config.hidden_size / heads);
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    throw refuse(`head size ${headDim}`, 'an even whole number');
  return { heads, kvHeads, headDim };
}

const layerKinds = ['full_attention', 'sliding_attention'];

/** Newer files name each layer's kind; older ones say from which layer on the window holds. */
function windowsOf(config: ConfigFile, family: Family, refuse: Refuse): (number | undefined)[] {
  const count = config.num_hidden_layers;
  if (family === 'Llama' || !config.use_sliding_window) return new Array(count).fill(undefined);
  const window = config.sliding_window;
  if (!window) throw refuse('use_sliding_window without sliding_window', 'a number of tokens');
  const kinds = config.layer_types;
  if (kinds && kinds.length !== count) throw refuse(`${kinds.length} layer_types`, `${count}`);
  const unknown = kinds?.find((kind) => !layerKinds.includes(kind));
  if (unknown !== undefined) throw refuse(`layer_types '${unknown}'`, layerKinds.join(', '));
  return Array.from({ length: count }, (_, i) => {
    const slides = kinds ? kinds[i] === 'sliding_attention' : i >= config.max_window_layers;
    return slides ? window : undefined;
  });
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AnnealError(
      'InvalidModel',
      `expected a Hugging Face model folder, found no ${file}; give a folder with config.json, model.safetensors and tokenizer.json`,
      { cause },
    );
  }
}
