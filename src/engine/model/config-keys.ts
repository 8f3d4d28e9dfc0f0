// The keys of config.json that no graph reads: options of other models that change what is computed,
// which are refused; keys without effect on it, which most files have; and the rest, which are named
// to people.

import { type ConfigFile, configFileSchema, type Refuse } from './config-file.ts';
import type { Family } from './families.ts';

/**
 * Options that change what a model computes in some model of transformers, or in its authors' code.
 * Each may have the given value, or be off (`isOff`).
 */
const computing: Readonly<Record<string, unknown>> = {
  add_cross_attention: false,
  alibi: false,
  attention_chunk_size: null,
  attention_multiplier: null,
  attn_logit_softcapping: null,
  clip_qkv: null,
  compression_config: null,
  embedding_multiplier: 1,
  final_logit_softcapping: null,
  is_causal: true,
  is_encoder_decoder: false,
  kv_lora_rank: null,
  logit_scale: 1,
  logits_scaling: 1,
  n_routed_experts: null,
  no_rope_layers: null,
  num_experts: null,
  num_local_experts: null,
  per_layer_config: null,
  pruned_heads: null,
  qk_layernorm: false,
  qk_norm: false,
  quantization_config: null,
  query_pre_attn_scalar: null,
  residual_multiplier: 1,
  rope_interleave: false,
  rope_interleaved: false,
  rotary_pct: 1,
  scale_depth: null,
  scale_emb: 1,
  use_bidirectional_attention: false,
  use_mrope: false,
  use_parallel_residual: false,
  use_qk_norm: false,
};

/** Bookkeeping, settings of generation and of training, and keys that other files of ours read. */
const withoutEffect: ReadonlySet<string> = new Set(
  `_attn_implementation _attn_implementation_autoset _commit_hash _name_or_path architectures
  attn_implementation bad_words_ids begin_suppress_tokens bos_token_id chunk_size_feed_forward
  decoder_start_token_id diversity_penalty do_sample dtype early_stopping
  encoder_no_repeat_ngram_size exponential_decay_length_penalty finetuning_task
  forced_bos_token_id forced_eos_token_id gradient_checkpointing initializer_range
  keys_to_ignore_at_inference label2id length_penalty max_length min_length model_type name_or_path
  no_repeat_ngram_size num_beam_groups num_beams num_return_sequences output_attentions
  output_hidden_states output_scores prefix pretraining_tp problem_type remove_invalid_values
  repetition_penalty return_dict return_dict_in_generate sep_token_id suppress_tokens
  task_specific_params temperature tf_legacy_loss tokenizer_class top_k top_p torch_dtype
  torchscript transformers_version typical_p unk_token_id unsloth_fixed unsloth_version
  use_bfloat16 use_cache`.split(/\s+/),
);

/** Whether a value of an option that the graphs do not have turns it off. */
export function isOff(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === undefined || value === false || value === 0 || value === '';
}

/** @throws AnnealError InvalidModel for an option of another model that changes the computation */
export function refuseOtherModels(config: ConfigFile, refuse: Refuse): void {
  for (const [key, neutral] of Object.entries(computing)) {
    const value = config[key];
    if (value == null || value === neutral || (neutral !== true && isOff(value))) continue;
    if (quantized.includes(key)) throw refuse(key, 'weights in float32, float16 or bfloat16');
    const allowed = neutral === null ? 'models without it' : `${key} ${neutral}`;
    throw refuse(`${key} ${JSON.stringify(value).slice(0, 40)}`, allowed);
  }
}

const quantized = ['quantization_config', 'compression_config'];

const read = new Set(Object.keys(configFileSchema.shape));
/** Keys of every kind of rope that has been read (rope-scaling.ts); others depend on the kind. */
const ropeKeys = {
  default: ['rope_type', 'type', 'rope_theta', 'partial_rotary_factor'],
  linear: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
} as const;

/**
 * Keys that are set but not read, neither here nor by transformers' class of that family, sorted.
 * Keys without effect are left out.
 */
export function unusedKeys(config: ConfigFile, family: Family, rope: keyof typeof ropeKeys) {
  const ignored: readonly string[] = family.ignores;
  const top = Object.keys(config).filter(
    (key) =>
      !isOff(config[key]) &&
      (ignored.includes(key) ||
        !(read.has(key) || withoutEffect.has(key) || Object.hasOwn(computing, key))),
  );
  const known: readonly string[] = [...ropeKeys.default, ...ropeKeys[rope]];
  const nested = (['rope_scaling', 'rope_parameters'] as const).flatMap((name) =>
    Object.entries(config[name] ?? {})
      .filter(([key, value]) => !known.includes(key) && !isOff(value))
      .map(([key]) => `${name}.${key}`),
  );
  return [...top, ...nested].sort();
}
