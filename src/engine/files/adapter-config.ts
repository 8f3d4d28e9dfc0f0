// adapter_config.json of PEFT: which options are read, which are refused by name, and which modules
// of a base they select.

import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { isOff } from '../model/config-keys.ts';
import type { AdapterShape } from '../model/lora.ts';
import { parseJsonAs } from './json.ts';

/** Low-rank adapters, scaled by alpha / rank. */
export interface Lora extends AdapterShape {
  alpha: number;
  /** Scaled by alpha / √rank instead (rsLoRA, arXiv 2312.03732). */
  rankStabilized?: boolean | undefined;
}

/** The factor of B·A. */
export function scaleOf({ alpha, rank, rankStabilized }: Lora): number {
  return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
}

/** Options of PEFT that change what an adapter computes, with the only values supported. */
const supported = {
  bias: 'none',
  use_dora: false,
  use_qalora: false,
  lora_bias: false,
  fan_in_fan_out: false,
  rank_pattern: {},
  alpha_pattern: {},
  layer_replication: null,
  target_parameters: null,
  trainable_token_indices: null,
} as const;

/** Other keys that PEFT writes: bookkeeping, and how training began. */
const withoutEffect: ReadonlySet<string> = new Set(
  `auto_mapping corda_config ensure_weight_tying eva_config inference_mode init_lora_weights
  loftq_config lora_dropout lora_ga_config megatron_config megatron_core peft_version
  qalora_group_size revision runtime_config task_type`.split(/\s+/),
);

/** Beginnings that leave the base as it is; PiSSA, OLoRA and others change its weights. */
const initialisations = [true, false, null, 'gaussian', 'eva', 'orthogonal'];

const names = z.union([z.string(), z.array(z.string())]).nullish();
const fileSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive().max(65536),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().nullish(),
  /** Ends of module names, 'all-linear', or a regular expression. */
  target_modules: z.union([z.string().min(1), z.array(z.string()).min(1)]),
  exclude_modules: names,
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  layers_pattern: names,
  base_model_name_or_path: z.string().min(1),
  modules_to_save: z.array(z.string()).nullish(),
});
export type AdapterConfig = z.output<typeof fileSchema>;

/** Parse and check the file's text. @throws AnnealError InvalidModel naming file and option */
export function parseAdapterConfig(file: string, text: string): AdapterConfig {
  const config = parseJsonAs(file, text, fileSchema);
  checkOptions(file, config);
  return config;
}

/** @throws AnnealError InvalidModel naming the first option that is not supported */
function checkOptions(file: string, config: AdapterConfig): void {
  const refuse = (key: string, expected: string) =>
    new AnnealError(
      'InvalidModel',
      `${file}: expected ${key} ${expected}, found ${JSON.stringify(config[key])}; merge the adapter with PEFT and give the merged model`,
    );
  for (const [key, value] of Object.entries(supported))
    if (JSON.stringify(config[key] ?? value) !== JSON.stringify(value))
      throw refuse(key, JSON.stringify(value));
  if (!initialisations.includes((config.init_lora_weights ?? null) as never))
    throw refuse('init_lora_weights', initialisations.join(', '));
  if ([config.layers_pattern ?? []].flat().some((pattern) => pattern !== 'layers'))
    throw refuse('layers_pattern', '"layers"');
  // A classifier's head is saved in full; these are PEFT's two names for it.
  if (config.modules_to_save?.some((name) => name !== 'classifier' && name !== 'score'))
    throw refuse('modules_to_save', 'the score of a classifier, or none');
  const known = (key: string) =>
    Object.hasOwn(fileSchema.shape, key) || Object.hasOwn(supported, key) || withoutEffect.has(key);
  const unknown = Object.keys(config).find((key) => !known(key) && !isOff(config[key]));
  if (unknown !== undefined) throw refuse(unknown, 'to be off');
}

/** The modules that PEFT would adapt; undefined if a regular expression says which. */
export function selectedModules(
  config: AdapterConfig,
  all: readonly string[],
): string[] | undefined {
  const { target_modules: targets, exclude_modules, layers_to_transform: layers } = config;
  if (typeof exclude_modules === 'string') return undefined;
  const named = (list: readonly string[], module: string) =>
    list.some((name) => module === name || module.endsWith(`.${name}`));
  const kept = all.filter((module) => !named(exclude_modules ?? [], module));
  if (typeof targets === 'string') return targets.toLowerCase() === 'all-linear' ? kept : undefined;
  const indices = [layers ?? []].flat();
  const within = (module: string) =>
    indices.length === 0 || indices.includes(Number(/\.layers\.(\d+)\./.exec(module)?.[1]));
  return kept.filter((module) => named(targets, module) && within(module));
}

/** The config as PEFT writes it; `base` becomes base_model_name_or_path. */
export function encodeAdapterConfig(lora: Lora, base: string, classifies: boolean): string {
  const config = {
    bias: 'none',
    use_dora: false,
    use_rslora: lora.rankStabilized ?? false,
    use_qalora: false,
    lora_bias: false,
    fan_in_fan_out: false,
    rank_pattern: {},
    alpha_pattern: {},
    layers_to_transform: null,
    layers_pattern: null,
    layer_replication: null,
    exclude_modules: null,
    target_parameters: null,
    trainable_token_indices: null,
    base_model_name_or_path: base,
    inference_mode: true,
    lora_alpha: lora.alpha,
    lora_dropout: 0,
    peft_type: 'LORA',
    r: lora.rank,
    target_modules: lora.modules ?? lora.targets,
    modules_to_save: classifies ? ['score'] : null,
    task_type: classifies ? 'SEQ_CLS' : 'CAUSAL_LM',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
