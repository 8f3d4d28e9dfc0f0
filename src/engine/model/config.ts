// A decoder's description, read from a Hugging Face config.json. Only what the graphs implement
// is accepted; everything else is refused by name rather than silently ignored.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';

const positive = z.int().positive();

/** The keys of config.json that matter here; others are kept as they are. */
const fileSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.optional(),
  head_dim: positive.nullish(),
  vocab_size: positive,
  max_position_embeddings: positive.default(4096),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: z
    .looseObject({ rope_theta: z.number().optional(), rope_type: z.string().optional() })
    .nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  use_sliding_window: z.boolean().default(false),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  pad_token_id: z.int().nullish(),
});

/** What a graph is built from. Axis letters as in docs/notation.md. */
export interface DecoderConfig {
  architecture: 'Qwen2ForCausalLM';
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
  tiedEmbeddings: boolean;
  /** Biases on the query, key and value projections. */
  attentionBias: boolean;
  eosTokenIds: number[];
  padTokenId: number;
}

/**
 * Read `<folder>/config.json`.
 * @throws AnnealError InvalidModel where it is missing, is no JSON, or asks for what is not built
 */
export async function readModelConfig(folder: string): Promise<DecoderConfig> {
  const file = join(folder, 'config.json');
  const parsed = fileSchema.safeParse(await readJson(file));
  if (!parsed.success)
    throw new AnnealError('InvalidModel', `${file}: ${z.prettifyError(parsed.error)}`);
  return describe(parsed.data, file);
}

function describe(config: z.output<typeof fileSchema>, file: string): DecoderConfig {
  const [architecture] = config.architectures;
  const refuse = (what: string, expected: string) =>
    new AnnealError('InvalidModel', `${file}: ${what}; supported: ${expected}`);
  if (architecture !== 'Qwen2ForCausalLM')
    throw refuse(`architecture '${architecture}'`, 'Qwen2ForCausalLM');
  if (config.hidden_act !== 'silu') throw refuse(`hidden_act '${config.hidden_act}'`, 'silu');
  const ropeType = config.rope_parameters?.rope_type ?? 'default';
  if (ropeType !== 'default') throw refuse(`rope_type '${ropeType}'`, 'default');
  if (config.rope_scaling) throw refuse('rope_scaling is set', 'null');
  if (config.use_sliding_window) throw refuse('use_sliding_window is true', 'false');
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0)
    throw refuse(`${heads} heads over ${kvHeads} key-value heads`, 'a whole number a group');
  const headDim = config.head_dim ?? config.hidden_size / heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    throw refuse(`head size ${headDim}`, 'an even whole number');
  const eos = config.eos_token_id ?? [];
  const eosTokenIds = Array.isArray(eos) ? eos : [eos];
  return {
    architecture,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    vocabSize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: config.rope_theta ?? config.rope_parameters?.rope_theta ?? 10000,
    tiedEmbeddings: config.tie_word_embeddings,
    attentionBias: true,
    eosTokenIds,
    padTokenId: config.pad_token_id ?? eosTokenIds[0] ?? 0,
  };
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new AnnealError(
      'InvalidModel',
      `expected a Hugging Face model folder, found no ${file}; give a folder with config.json, model.safetensors and tokenizer.json`,
      { cause },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AnnealError('InvalidModel', `${file}: not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** A parameter's name in the safetensors file and its shape there. */
export interface ParameterSpec {
  name: string;
  shape: readonly number[];
}

/** Every parameter of the decoder, in the order of the file (Hugging Face names; [out, in]). */
export function parameterSpecs(c: DecoderConfig): ParameterSpec[] {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const bias = (name: string, size: number) =>
    c.attentionBias ? [{ name: `${name}.bias`, shape: [size] }] : [];
  const layer = (i: number): ParameterSpec[] => {
    const at = (name: string) => `model.layers.${i}.${name}`;
    const linear = (name: string, out: number, input: number) => ({
      name: at(`${name}.weight`),
      shape: [out, input],
    });
    return [
      { name: at('input_layernorm.weight'), shape: [c.hiddenSize] },
      linear('self_attn.q_proj', q, c.hiddenSize),
      ...bias(at('self_attn.q_proj'), q),
      linear('self_attn.k_proj', kv, c.hiddenSize),
      ...bias(at('self_attn.k_proj'), kv),
      linear('self_attn.v_proj', kv, c.hiddenSize),
      ...bias(at('self_attn.v_proj'), kv),
      linear('self_attn.o_proj', c.hiddenSize, q),
      { name: at('post_attention_layernorm.weight'), shape: [c.hiddenSize] },
      linear('mlp.gate_proj', c.intermediateSize, c.hiddenSize),
      linear('mlp.up_proj', c.intermediateSize, c.hiddenSize),
      linear('mlp.down_proj', c.hiddenSize, c.intermediateSize),
    ];
  };
  return [
    { name: 'model.embed_tokens.weight', shape: [c.vocabSize, c.hiddenSize] },
    ...Array.from({ length: c.layers }, (_, i) => layer(i)).flat(),
    { name: 'model.norm.weight', shape: [c.hiddenSize] },
    ...(c.tiedEmbeddings ? [] : [{ name: 'lm_head.weight', shape: [c.vocabSize, c.hiddenSize] }]),
  ];
}
