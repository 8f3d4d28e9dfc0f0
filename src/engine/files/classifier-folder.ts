// Makes a sequence classifier with one label from a language model: the same layers, with an
// untrained head of one score instead of next-token logits.

import type { DecoderConfig } from '../model/config.ts';
import { architectureFor } from '../model/families.ts';
import { parameterSpecs, scoreName } from '../model/parameters.ts';
import { uniforms } from '../sampling/random.ts';
import { readModelConfig } from './model-config.ts';
import { readSourceConfig, saveModelFolder } from './save-folder.ts';
import type { SourceJson } from './saved-config.ts';
import { readParameters } from './weights.ts';

/**
 * Write a classifier with the layers of `source` into `out`, an empty folder. The head is uniform
 * within ±1 / √D, from the seed; a source that is a classifier already keeps its own.
 * @throws AnnealError InvalidModel
 */
export async function saveClassifier(source: string, out: string, seed: number): Promise<void> {
  const c = await readModelConfig(source);
  const parameters = await readParameters(source, c);
  const labels = c.labels ?? 1;
  const tensors = parameterSpecs({ ...c, labels }).map(
    ({ name, shape }) => [name, shape, parameters.get(name) ?? freshHead(c, seed)] as const,
  );
  const declared = await readSourceConfig(source);
  const config = c.labels === undefined ? classifierConfig(declared, c) : declared;
  await saveModelFolder({ source, out, decoder: c, tensors, config });
}

function freshHead({ hiddenSize: D }: DecoderConfig, seed: number): Float32Array {
  const next = uniforms(seed, scoreName);
  return Float32Array.from({ length: D }, () => (2 * next() - 1) / Math.sqrt(D));
}

/**
 * The config of a classifier with one label. transformers scores the last token that is not padding,
 * so the padding token must not be one that ends a text.
 */
function classifierConfig(source: SourceJson, c: DecoderConfig): SourceJson {
  // The number as the file wrote it (SourceJson), or NaN.
  const declared = Number.parseInt(JSON.stringify(source.pad_token_id ?? null), 10);
  const usable = Number.isInteger(declared) && !c.eosTokenIds.includes(declared);
  return {
    ...source,
    architectures: [architectureFor(c.architecture, 'classifier')!.name],
    id2label: { 0: 'LABEL_0' },
    label2id: { LABEL_0: 0 },
    pad_token_id: usable ? declared : unusedToken(c),
  };
}

/** The last token that does not end a text. Vocabularies keep spare tokens at the end. */
function unusedToken({ vocabSize, eosTokenIds }: DecoderConfig): number {
  let token = vocabSize - 1;
  while (eosTokenIds.includes(token)) token--;
  return token;
}
