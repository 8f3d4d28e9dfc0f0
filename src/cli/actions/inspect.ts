// Prints the architecture and sizes of a model folder, and the memory it needs.

import { resolveInput } from '../../config/paths.ts';
import type { ModelInfo } from '../../engine/inference/jobs.ts';
import { createModelClient } from '../../rl/model-client.ts';
import { printJson, printLines } from '../terminal/output.ts';

/** @throws AnnealError InvalidModel if a parameter is missing or has another shape. */
export async function inspectModel(model: string, { json }: { json?: boolean }): Promise<void> {
  const models = createModelClient();
  try {
    const info = await models.inspect({ model: resolveInput(model, 'model') });
    if (json) printJson(info);
    else printLines(describeModel(info));
  } finally {
    await models.close();
  }
}

const count = (n: number) => n.toLocaleString('en-US');

function describeModel(info: ModelInfo): string[] {
  const { slidingWindow, labels, eosTokenIds } = info;
  const output = labels === null ? describeEmbeddings(info) : `${labels} scores a sequence`;
  const window = slidingWindow
    ? `${count(slidingWindow.tokens)} tokens in ${slidingWindow.layers} of ${info.layers} layers`
    : 'none';
  const facts = {
    architecture: info.architecture,
    ...(info.lora && { adapters: describeLora(info.lora) }),
    parameters: `${count(info.parameters)}, stored as ${Object.keys(info.dtypes).join(', ')}`,
    layers: count(info.layers),
    'hidden size': `${count(info.hiddenSize)}, ${count(info.intermediateSize)} within the MLP`,
    heads: `${info.heads} of size ${info.headDim}, ${info.kvHeads} for keys and values`,
    vocabulary: `${count(info.vocabSize)} tokens`,
    output,
    context: `${count(info.maxPositions)} tokens`,
    'sliding window': window,
    rope: describeRope(info.rope),
    'end tokens': eosTokenIds.join(', ') || 'none',
    'chat template': info.chatTemplate ? 'yes' : 'none',
    'to sample': describeMemory(info.memory.sampling, info.memory.samplingToken, 'in the batch'),
    'to train': describeTraining(info.memory),
    ...(info.unused.tensors.length > 0 && { 'unused tensors': info.unused.tensors.join(', ') }),
    ...(info.unused.keys.length > 0 && { 'unused keys': info.unused.keys.join(', ') }),
    'on disk': `${count(info.bytes)} bytes`,
  };
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(15)} ${value}`);
  const width = Math.max(...info.files.map(({ name }) => name.length));
  return [
    ...lines,
    ...info.files.map(({ name, bytes }) => `  ${name.padEnd(width)}  ${count(bytes)}`),
  ];
}

/** In GB, or in MB if less than one GB. */
const size = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;

const describeMemory = (bytes: number, each: number, where: string) =>
  `about ${size(bytes)}, and ${size(1000 * each)} for every 1,000 tokens ${where}`;

function describeTraining(memory: ModelInfo['memory']): string {
  const { training, lora, trainingToken, recomputeToken } = memory;
  const all = describeMemory(training, trainingToken, 'of a microbatch');
  return `${all} (${size(1000 * recomputeToken)} with recompute); adapters about ${size(lora)}`;
}

function describeLora(lora: NonNullable<ModelInfo['lora']>): string {
  const { rank, alpha, rankStabilized, targets, modules, base } = lora;
  const some = modules ? ` in ${modules.length} places` : '';
  const scale = rankStabilized ? `alpha ${alpha} over the root of the rank` : `alpha ${alpha}`;
  return `rank ${rank}, ${scale}, on ${targets.join(', ')}${some}, over ${base}`;
}

const describeEmbeddings = ({ tiedEmbeddings }: ModelInfo) =>
  tiedEmbeddings ? 'tied to the embeddings' : 'weights of its own';

function describeRope({ kind, theta, factor }: ModelInfo['rope']): string {
  return `${kind}, base ${count(theta)}${factor === null ? '' : `, factor ${factor}`}`;
}
