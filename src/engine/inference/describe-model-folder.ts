// Describes a model folder for people: sizes, data types, files. Reads no weights.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptFormat } from '../../config/schema/model.ts';
import { listModelFiles } from '../files/model-files.ts';
import { floatDtypes } from '../files/tensor-bytes.ts';
import type { DecoderConfig } from '../model/config.ts';
import { memoryEstimate } from '../model/memory.ts';
import { hasChatTemplate } from '../text/chat-template.ts';
import { checkModelFolder } from './check-model-folder.ts';
import type { ModelInfo } from './jobs.ts';

/** Check a model folder and describe it. @throws AnnealError InvalidModel */
export async function describeModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<ModelInfo> {
  const { base, config, lora, parameters, unused } = await checkModelFolder(folder, promptFormat);
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
    unused: { tensors: unused, keys: config.unusedKeys },
    chatTemplate: await hasChatTemplate(base),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    files,
  };
}

function describeConfig(config: DecoderConfig) {
  const { windows, ropeTheta, ropeScaling, labels } = config;
  const sliding = windows.filter((window) => window !== undefined);
  return {
    architecture: config.architecture,
    layers: config.layers,
    hiddenSize: config.hiddenSize,
    intermediateSize: config.intermediateSize,
    heads: config.heads,
    kvHeads: config.kvHeads,
    headDim: config.headDim,
    vocabSize: config.vocabSize,
    tiedEmbeddings: config.tiedEmbeddings,
    maxPositions: config.maxPositions,
    eosTokenIds: config.eosTokenIds,
    slidingWindow: sliding.length > 0 ? { tokens: sliding[0]!, layers: sliding.length } : null,
    rope: {
      kind: ropeScaling.kind,
      theta: ropeTheta,
      factor: 'factor' in ropeScaling ? ropeScaling.factor : null,
    },
    labels: labels ?? null,
  };
}

/** The folder's files by name, without hidden files and sub-folders. */
async function filesOf(folder: string): Promise<ModelInfo['files']> {
  const names = await listModelFiles(folder);
  const infos = await Promise.all(names.map((name) => stat(join(folder, name))));
  return names.map((name, i) => ({ name, bytes: infos[i]!.size }));
}
