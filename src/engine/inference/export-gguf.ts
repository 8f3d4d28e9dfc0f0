// Exports a model as one GGUF file, which llama.cpp and the programs built on it run, with a
// Modelfile for Ollama.

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { GgufTensor, Metadata } from '../files/gguf/container.ts';
import { writeGguf } from '../files/gguf/container.ts';
import {
  ggufName,
  inGgufOrder,
  modelMetadata,
  ropeDivisors,
} from '../files/gguf/model-metadata.ts';
import { type StoredType, storedTypes } from '../files/gguf/stored-types.ts';
import { findTemplate, hasChatTemplate } from '../text/chat-template.ts';
import { vocabularyOf } from '../text/gguf-vocabulary.ts';
import { openMerged } from './merge.ts';

export interface GgufExport {
  /** The files written. */
  file: string;
  modelfile: string;
}

/**
 * Write the model in `folder`, or adapters merged into their base, to the file `out`, and a
 * `.Modelfile` beside it. Matrices are stored as `type`, or as float16 if their rows do not fit its
 * blocks; norms and biases in float32.
 * @throws AnnealError InvalidModel for a model or tokenizer that llama.cpp does not run
 */
export async function exportGguf(
  folder: string,
  out: string,
  type: StoredType,
): Promise<GgufExport> {
  const { config: c, source, tensors: parameters } = await openMerged(folder);
  const template = (await hasChatTemplate(source)) ? await findTemplate(source) : null;
  const metadata: Metadata = [
    ...modelMetadata(source, c),
    ['general.name', { type: 'string', value: basename(folder) }],
    ['general.file_type', { type: 'u32', value: storedTypes[type].fileType }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ...(await vocabularyOf(source, c.vocabSize, c.eosTokenIds)),
    ...(template
      ? [['tokenizer.chat_template', { type: 'string', value: template.text }] as const]
      : []),
  ];
  const divisors = ropeDivisors(c);
  const tensors: GgufTensor[] = parameters.map(([name, shape, read]) => ({
    name: ggufName(name),
    shape,
    type: typeFor(shape, type),
    read: async () => inGgufOrder(c, name, await read()),
  }));
  if (divisors)
    tensors.push({
      ...{ name: 'rope_freqs.weight', shape: [divisors.length], type: 'f32' },
      read: async () => divisors,
    });
  await mkdir(dirname(out), { recursive: true });
  await writeGguf(out, metadata, tensors);
  const modelfile = `${out.replace(/\.gguf$/, '')}.Modelfile`;
  await writeFile(modelfile, modelfileOf(basename(out), template !== null));
  return { file: out, modelfile };
}

function typeFor(shape: readonly number[], type: StoredType): StoredType {
  if (shape.length < 2) return 'f32';
  return shape.at(-1)! % storedTypes[type].blockElements === 0 ? type : 'f16';
}

/** Ollama takes a chat template from the file; without one, a prompt is passed on as it is. */
function modelfileOf(file: string, hasTemplate: boolean): string {
  const lines = [`FROM ./${file}`, ...(hasTemplate ? [] : ['TEMPLATE """{{ .Prompt }}"""'])];
  return `${lines.join('\n')}\n`;
}
