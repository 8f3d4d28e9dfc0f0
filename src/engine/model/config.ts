// A decoder's description, taken from a Hugging Face config.json. Options that the graphs do not
// implement are refused by name; none is silently ignored.

import { AnnealError } from '../../errors.ts';
import type { ConfigFile, Refuse, RopeFile } from './config-file.ts';
import { type Architecture, architectures, type Family, findArchitecture } from './families.ts';
import { type RopeScaling, ropeScalingOf } from './rope-scaling.ts';
import type { LayerWindows } from './sliding-windows.ts';

/** Everything a graph is built from. Axis letters as in docs/notation.md. */
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
  /** Factor on attention scores: 1 / √E. */
  attentionScale: number;
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
  /** RMSNorm over each head of queries and keys. */
  queryKeyNorm: boolean;
  windows: LayerWindows;
  /** Number of a classifier's scores; undefined for a language model. */
  labels: number | undefined;
  /** Each of them ends a completion. */
  eosTokenIds: number[];
}

/**
 * The decoder that a config.json describes; `file` names it in errors. The tokens that end a
 * completion are read separately (files/stop-tokens.ts).
 * @throws AnnealError InvalidModel for an option that is not implemented
 */
export function describeDecoder(
  config: ConfigFile,
  file: string,
): Omit<DecoderConfig, 'eosTokenIds'> {
  const refuse = refusal(file);
  const { name, family, task } = architectureOf(config, refuse);
  const rope = config.rope_scaling ?? config.rope_parameters ?? {};
  checkOptions(config, rope, refuse);
  const biases = family.biases(config);
  return {
    architecture: name,
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
    attentionBias: biases.attention,
    outputBias: biases.output,
    mlpBias: biases.mlp,
    queryKeyNorm: family.queryKeyNorm,
    windows: family.windows(config, refuse),
    labels: task === 'classifier' ? labelsOf(config) : undefined,
  };
}

/** transformers' default is two labels. */
function labelsOf({ id2label }: ConfigFile): number {
  return id2label ? Object.keys(id2label).length : 2;
}

function refusal(file: string): Refuse {
  return (found, supported) =>
    new AnnealError('InvalidModel', `${file}: found ${found}; supported: ${supported}`);
}

/** Refuse options that would change what the model computes or how its weights are stored. */
function checkOptions(config: ConfigFile, rope: RopeFile, refuse: Refuse): void {
  if (config.hidden_act !== 'silu') throw refuse(`hidden_act '${config.hidden_act}'`, 'silu');
  if (config.quantization_config != null)
    throw refuse('quantization_config', 'weights in float32, float16 or bfloat16');
  const rotated = rope.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (rotated !== 1) throw refuse(`partial_rotary_factor ${rotated}`, '1');
}

function architectureOf({ architectures: [name = ''] }: ConfigFile, refuse: Refuse): Architecture {
  const found = findArchitecture(name);
  if (found) return found;
  throw refuse(`architecture '${name}'`, architectures.map((known) => known.name).join(', '));
}

function headsOf(config: ConfigFile, family: Family, refuse: Refuse) {
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0)
    throw refuse(
      `${heads} heads over ${kvHeads} key-value heads`,
      'a multiple of the key-value heads',
    );
  const headDim = config.head_dim ?? family.defaultHeadDim(config);
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    throw refuse(`head size ${headDim}`, 'an even whole number');
  return { heads, kvHeads, headDim, attentionScale: 1 / Math.sqrt(headDim) };
}
