// The keys of a Hugging Face config.json that a decoder depends on.

import { z } from 'zod';
import type { AnnealError } from '../../errors.ts';

const positive = z.int().positive();

/** `rope_scaling` of older config files, `rope_parameters` of newer ones. */
const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().min(1).optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: positive.optional(),
  partial_rotary_factor: z.number().nullish(),
});
export type RopeFile = z.output<typeof ropeSchema>;

/** Other keys are kept as they are. */
export const configFileSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  hidden_size: positive,
  intermediate_size: positive,
  // Bounded, because memory is allocated for each layer before the weights are checked.
  num_hidden_layers: positive.max(1024),
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  vocab_size: positive,
  max_position_embeddings: positive.optional(),
  original_max_position_embeddings: positive.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  partial_rotary_factor: z.number().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: positive.nullish(),
  max_window_layers: z.int().min(0).default(28),
  layer_types: z.array(z.string()).nullish(),
  id2label: z.record(z.string(), z.string()).nullish(),
  num_labels: positive.nullish(),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  pad_token_id: z.int().nullish(),
});
export type ConfigFile = z.output<typeof configFileSchema>;

/** Makes the error that refuses an option of a config.json. */
export type Refuse = (found: string, supported: string) => AnnealError;
