// A decoder's description, taken from a Hugging Face config.json. Options that the graphs do not
// implement are refused by name; none is silently ignored.

import { AnnealError } from '../../errors.ts';
import type { ConfigFile, Refuse, RopeFile } from './config-file.ts';
import { refuseOtherModels, unusedKeys } from './config-keys.ts';
import { type Architecture, architectures, type Family, type Task } from './families.ts';
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
  /** A classifier's scores are those of the last token that is not this one. */
  padTokenId: number | undefined;
  /** Keys of config.json that are set and not read, such as those of other models. */
  unusedKeys: string[];
  /** Each of them ends a completion. */
  eosTokenIds: number[];
}

/**
 * The decoder that a config.json describes; `file` names it in errors. The tokens that end a
 * completion are read separately (files/stop-tokens.ts).
 * @param head the task that the weights have a head for, in case the file names no class with one
 * @throws AnnealError InvalidModel for an option that is not implemented
 */
export function describeDecoder(
  config: ConfigFile,
  file: string,
  head: Task,
): Omit<DecoderConfig, 'eosTokenIds'> {
  const refuse = refusal(file);
  const { name, family, task } = architectureOf(config, head, refuse);
  const rope = ropeOf(config);
  checkOptions(config, rope, refuse);
  const maxPositions = config.max_position_embeddings ?? family.defaultMaxPositions;
  const ropeScaling = ropeScalingOf(config, rope, maxPositions, refuse);
  const biases = family.biases(config);
  return {
    architecture: name,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    ...headsOf(config, family, refuse),
    vocabSize: config.vocab_size,
    maxPositions,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: rope.rope_theta ?? config.rope_theta ?? 10000,
    ropeScaling,
    tiedEmbeddings: config.tie_word_embeddings,
    attentionBias: biases.attention,
    outputBias: biases.output,
    mlpBias: biases.mlp,
    queryKeyNorm: family.queryKeyNorm,
    windows: family.windows(config, refuse),
    labels: task === 'classifier' ? labelsOf(config) : undefined,
    padTokenId: config.pad_token_id ?? undefined,
    unusedKeys: unusedKeys(config, family, ropeScaling.kind),
  };
}

/** transformers' default is two labels. */
function labelsOf({ id2label, num_labels }: ConfigFile): number {
  return id2label ? Object.keys(id2label).length : (num_labels ?? 2);
}

/** As in transformers, an empty rope_scaling counts as none. */
function ropeOf({ rope_scaling, rope_parameters }: ConfigFile): RopeFile {
  if (rope_scaling && Object.keys(rope_scaling).length > 0) return rope_scaling;
  return rope_parameters ?? {};
}

function refusal(file: string): Refuse {
  return (found, supported) =>
    new AnnealError('InvalidModel', `${file}: found ${found}; supported: ${supported}`);
}

/** transformers' names of the activation. */
const siluNames = ['silu', 'swish'];

/** Refuse options that would change what the model computes or how its weights are stored. */
function checkOptions(config: ConfigFile, rope: RopeFile, refuse: Refuse): void {
  if (!siluNames.includes(config.hidden_act))
    throw refuse(`hidden_act '${config.hidden_act}'`, siluNames.join(', '));
  refuseOtherModels(config, refuse);
  const rotated = rope.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (rotated !== 1) throw refuse(`partial_rotary_factor ${rotated}`, '1');
}

/**
 * The architecture that the file names first. If it names none: that of `model_type`, for the task
 * of `head`; likewise for a family's class without a head, such as `Qwen2Model`.
 */
function architectureOf(
  { architectures: names, model_type }: ConfigFile,
  head: Task,
  refuse: Refuse,
): Architecture {
  const [name] = names ?? [];
  const found = architectures.find(
    (known) =>
      known.name === name ||
      (known.task === head &&
        (name === undefined
          ? known.modelType === model_type
          : name === `${known.family.classPrefix}Model`)),
  );
  const described = name === undefined ? `model_type ${model_type}` : `architecture '${name}'`;
  if (!found) throw refuse(described, architectures.map((known) => known.name).join(', '));
  if (model_type != null && model_type !== found.modelType)
    throw refuse(`${described} with model_type '${model_type}'`, found.modelType);
  return found;
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
