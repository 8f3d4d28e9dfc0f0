// What a model folder holds, for people: sizes, data types, files. No weights are read.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptFormat } from '../../config/schema/model.ts';
import { floatDtypes } from '../files/tensor-bytes.ts';
import type { DecoderConfig } from '../model/config.ts';
import { memoryEstimate } from '../model/memory.ts';
import { hasChatTemplate } from '../text/chat-template.ts';
import type { ModelInfo } from './jobs.ts';
import { checkModelFolder } from './model-folder.ts';

/** Check a model folder and describe it. @throws AnnealError InvalidModel */
export async function describeModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<ModelInfo> {
  const { base, config, lora, parameters } = await checkModelFolder(folder, promptFormat);
  const dtypes: Record<string, number> = {};
  for (const { dtype, shape } of parameters.values()) {
    const count = shape.reduce((n, size) => n * size, 1);
    dtypes[floatDtypes[dtype]] = (dtypes[floatDtypes[dtype]] ?? 0) + count;
  }
  const files = await filesOf(folder);
  const count = Object.values(dtypes).reduce((sum, n) => sum + n, 0);
  const stored = Array.from(parameters.values(), ({ length }) => length);
  const storedBytes = stored.reduce((sum, n) => sum + n, 0);
  return {
    ...describeConfig(config),
    lora: lora ? { ...lora, base } : null,
    parameters: count,
    memory: memoryEstimate(config, count, storedBytes),
    dtypes,
    chatTemplate: await hasChatTemplate(base),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
  };
}

function describeConfig(config: DecoderConfig) {
  const { windows, ropeTheta, ropeScaling, labels } = config;
  const sliding = windows.filter((window) => window !== undefined);
  const { architecture, layers, hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const { vocabSize, tiedEmbeddings, maxPositions, eosTokenIds } = config;
  return {
    ...{ architecture, layers, hiddenSize, intermediateSize, heads, kvHeads, headDim },
    ...{ vocabSize, tiedEmbeddings, maxPositions, eosTokenIds },
    slidingWindow: sliding.length > 0 ? { tokens: sliding[0]!, layers: sliding.length } : null,
    rope: {
      kind: ropeScaling.kind,
      theta: ropeTheta,
      factor: 'factor' in ropeScaling ? ropeScaling.factor : null,
    },
    labels: labels ?? null,
  };
}

/** The folder's own files by name, links followed, hidden ones and sub-folders left out. */
async function filesOf(folder: string): Promise<ModelInfo['files']> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const infos = await Promise.all(names.map((name) => stat(join(folder, name))));
  return names
    .map((name, i) => ({ name, bytes: infos[i]!.size, isFile: infos[i]!.isFile() }))
    .filter(({ isFile }) => isFile)
    .map(({ name, bytes }) => ({ name, bytes }));
}
