// A decoder as llama.cpp describes it: its architecture's keys, and the names and layout of tensors.
// Names: https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py

import { AnnealError } from '../../../errors.ts';
import type { DecoderConfig } from '../../model/config.ts';
import { findArchitecture } from '../../model/families.ts';
import { frequencies } from '../../model/rope.ts';
import type { Metadata, MetadataValue } from './container.ts';

/** @throws AnnealError InvalidModel for what llama.cpp does not run as transformers do */
export function modelMetadata(folder: string, c: DecoderConfig): Metadata {
  const refuse = (found: string) =>
    new AnnealError('InvalidModel', `${folder}: found ${found}, which llama.cpp does not run`);
  const name = findArchitecture(c.architecture)!.modelType;
  if (c.labels !== undefined) throw refuse(`the classifier ${c.architecture}`);
  if (c.windows.some((window) => window !== undefined)) throw refuse('a sliding window');
  if (name === 'qwen3' && c.attentionBias) throw refuse('attention_bias in Qwen3');
  if (name !== 'llama' && c.ropeScaling.kind === 'llama3')
    throw refuse(`rope_type llama3 in ${name}`);
  const u32 = (value: number): MetadataValue => ({ type: 'u32', value });
  const f32 = (value: number): MetadataValue => ({ type: 'f32', value });
  const keys: Record<string, MetadataValue> = {
    block_count: u32(c.layers),
    context_length: u32(c.maxPositions),
    embedding_length: u32(c.hiddenSize),
    feed_forward_length: u32(c.intermediateSize),
    vocab_size: u32(c.vocabSize),
    'attention.head_count': u32(c.heads),
    'attention.head_count_kv': u32(c.kvHeads),
    'attention.key_length': u32(c.headDim),
    'attention.value_length': u32(c.headDim),
    'attention.layer_norm_rms_epsilon': f32(c.normEpsilon),
    'rope.dimension_count': u32(c.headDim),
    'rope.freq_base': f32(c.ropeTheta),
    ...(c.ropeScaling.kind === 'linear' && {
      'rope.scaling.type': { type: 'string', value: 'linear' } as const,
      'rope.scaling.factor': f32(c.ropeScaling.factor),
    }),
  };
  return [
    ['general.architecture', { type: 'string', value: name }],
    ...Object.entries(keys).map(([key, value]) => [`${name}.${key}`, value] as const),
  ];
}

/** Parts of Hugging Face names, and what they are called in GGUF. */
const parts: Record<string, string> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** The GGUF name of a parameter of `parameterSpecs`. */
export function ggufName(parameter: string): string {
  const [, layer, part, kind] = /^(?:model\.layers\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(parameter)!;
  return `${layer === undefined ? '' : `blk.${layer}.`}${parts[part!]}.${kind}`;
}

/**
 * A parameter's values in the order that llama.cpp reads: for Llama it rotates neighbouring pairs
 * of a head's rows, where transformers rotates halves, so rows i and i + E / 2 become neighbours.
 */
export function inGgufOrder(
  c: DecoderConfig,
  parameter: string,
  values: Float32Array,
): Float32Array {
  const isRotated = /\.self_attn\.[qk]_proj\./.test(parameter);
  if (findArchitecture(c.architecture)!.modelType !== 'llama' || !isRotated) return values;
  const heads = parameter.includes('.q_proj.') ? c.heads : c.kvHeads;
  const columns = values.length / (heads * c.headDim);
  const half = c.headDim / 2;
  const ordered = new Float32Array(values.length);
  for (let row = 0; row < heads * c.headDim; row++) {
    const at = row % c.headDim;
    const from = row - at + (at % 2) * half + (at >> 1);
    ordered.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return ordered;
}

/** Divisors of Llama 3.1's rotary frequencies [E / 2]; null for models that have none. */
export function ropeDivisors(c: DecoderConfig): Float32Array | null {
  if (c.ropeScaling.kind !== 'llama3') return null;
  const scaled = frequencies(c);
  const plain = frequencies({ ...c, ropeScaling: { kind: 'default' } });
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]!);
}
