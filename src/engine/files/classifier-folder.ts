// Makes a sequence classifier with one label out of a language model: its layers, and in place of
// next-token logits a head of one score, which training has yet to teach.

import type { DecoderConfig } from '../model/config.ts';
import { architectureFor } from '../model/families.ts';
import { parameterSpecs, scoreName } from '../model/parameters.ts';
import { uniforms } from '../sampling/random.ts';
import { readModelConfig } from './model-config.ts';
import { readSourceConfig, saveModelFolder } from './save-folder.ts';
import type { SourceJson } from './saved-config.ts';
import { readParameters } from './weights.ts';

/**
 * Write the classifier of a language model's folder into `out`, an empty folder. The head starts
 * uniform within ±1 / √D, from the seed; a folder that is a classifier already keeps its own.
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
  await saveModelFolder({ source, out, tensors, config });
}

function freshHead({ hiddenSize: D }: DecoderConfig, seed: number): Float32Array {
  const next = uniforms(seed, scoreName);
  return Float32Array.from({ length: D }, () => (2 * next() - 1) / Math.sqrt(D));
}

/**
 * The config of a classifier with one label. transformers scores the last token that is no padding,
 * so that padding must be none of the tokens that end a text.
 */
function classifierConfig(source: SourceJson, c: DecoderConfig): SourceJson {
  // A number as the file wrote it, or nothing.
  const declared = Number.parseInt(JSON.stringify(source.pad_token_id ?? null), 10);
  const usable = Number.isInteger(declared) && !c.eosTokenIds.includes(declared);
  return {
    ...source,
    architectures: [architectureFor(c.architecture, 'classifier')!.name],
    id2label: { 0: 'LABEL_0' },
    label2id: { LABEL_0: 0 },
    pad_token_id: usable ? declared : lastTokenBut(c),
  };
}

/** The last token of the vocabulary that ends no text: where there are spare ones, they lie there. */
function lastTokenBut({ vocabSize, eosTokenIds }: DecoderConfig): number {
  let token = vocabSize - 1;
  while (eosTokenIds.includes(token)) token--;
  return token;
}
