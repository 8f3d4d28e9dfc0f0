// The parameters of a decoder: Hugging Face names and shapes, in the order of the file.

import type { DecoderConfig } from './config.ts';

/** A parameter's name in the safetensors file and its shape there ([out, in] for projections). */
export interface ParameterSpec {
  name: string;
  shape: readonly number[];
}

/** Names of the embeddings and of a language model's head. */
export const embeddingsName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';

/** Every parameter of the model. */
export function parameterSpecs(c: DecoderConfig): ParameterSpec[] {
  return [
    { name: embeddingsName, shape: [c.vocabSize, c.hiddenSize] },
    ...Array.from({ length: c.layers }, (_, i) => layerSpecs(c, `model.layers.${i}`)).flat(),
    { name: 'model.norm.weight', shape: [c.hiddenSize] },
    ...headSpecs(c),
  ];
}

/** Name of a classifier's head. */
export const scoreName = 'score.weight';

/** The head of a classifier, which a language model does not have. */
export function classifierHead({ labels, hiddenSize }: DecoderConfig): ParameterSpec[] {
  return labels === undefined ? [] : [{ name: scoreName, shape: [labels, hiddenSize] }];
}

function headSpecs(c: DecoderConfig): ParameterSpec[] {
  if (c.labels !== undefined) return classifierHead(c);
  return c.tiedEmbeddings ? [] : [{ name: headName, shape: [c.vocabSize, c.hiddenSize] }];
}

function layerSpecs(c: DecoderConfig, layer: string): ParameterSpec[] {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const norm = (name: string, size: number) => ({ name: `${layer}.${name}.weight`, shape: [size] });
  const linear = (name: string, out: number, input: number, bias: boolean) => [
    { name: `${layer}.${name}.weight`, shape: [out, input] },
    ...(bias ? [{ name: `${layer}.${name}.bias`, shape: [out] }] : []),
  ];
  const headNorms = ['q_norm', 'k_norm'].map((name) => norm(`self_attn.${name}`, c.headDim));
  return [
    norm('input_layernorm', c.hiddenSize),
    ...linear('self_attn.q_proj', q, c.hiddenSize, c.attentionBias),
    ...linear('self_attn.k_proj', kv, c.hiddenSize, c.attentionBias),
    ...linear('self_attn.v_proj', kv, c.hiddenSize, c.attentionBias),
    ...linear('self_attn.o_proj', c.hiddenSize, q, c.outputBias),
    ...(c.queryKeyNorm ? headNorms : []),
    norm('post_attention_layernorm', c.hiddenSize),
    ...linear('mlp.gate_proj', c.intermediateSize, c.hiddenSize, c.mlpBias),
    ...linear('mlp.up_proj', c.intermediateSize, c.hiddenSize, c.mlpBias),
    ...linear('mlp.down_proj', c.hiddenSize, c.intermediateSize, c.mlpBias),
  ];
}
