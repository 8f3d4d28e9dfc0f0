// config.json and generation_config.json of a saved model: the source's keys and numbers as written,
// changed only where they must agree with float32 weights.

import type { DecoderConfig } from '../model/config.ts';
import { findArchitecture } from '../model/families.ts';
import { parseJson } from './json.ts';

/** A JSON object whose numbers stay as written (8.0 is not 8 to every reader). */
export type SourceJson = Record<string, unknown>;

/** ECMAScript's JSON.parse source text access, which TypeScript does not declare yet. */
interface SourceTextJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const json = JSON as unknown as SourceTextJson;

/** @throws AnnealError InvalidModel naming the file */
export function parseSourceJson(file: string, text: string): SourceJson {
  parseJson(file, text);
  return json.parse(text, (_, value, { source }) =>
    typeof value === 'number' ? json.rawJSON(source!) : value,
  ) as SourceJson;
}

/**
 * The source's config with data type float32, under the key that the source used, the class that its
 * weights are saved for, and a head that is tied only if it is.
 */
export function savedConfig(source: SourceJson, c: DecoderConfig): SourceJson {
  const config = { ...source };
  const [name] = (source.architectures as string[] | null | undefined) ?? [];
  if (!findArchitecture(name ?? '')) config.architectures = [c.architecture];
  if (source.tie_word_embeddings === true && !c.tiedEmbeddings) config.tie_word_embeddings = false;
  const keys = ['dtype', 'torch_dtype'].filter((key) => key in config);
  for (const key of keys.length > 0 ? keys : ['dtype']) config[key] = 'float32';
  config.model_type ??= findArchitecture(architectureOf(config))?.modelType;
  return config;
}

/** The architecture that config.json names first. */
export function architectureOf(config: SourceJson): string {
  return (config.architectures as string[])[0]!;
}

/** A generation config for a source without one: the special tokens from its config.json. */
export function savedGeneration(config: SourceJson): SourceJson {
  const keys = ['bos_token_id', 'eos_token_id', 'pad_token_id'];
  return Object.fromEntries(
    keys.filter((key) => config[key] != null).map((key) => [key, config[key]]),
  );
}
