// Adapters as inputs of a graph.

import { type Lora, scaleOf } from '../files/adapter-config.ts';
import { readAdapters } from '../files/adapter-folder.ts';
import type { PolicyFolder } from '../files/policy-folder.ts';
import { adapterSpecs } from '../model/lora.ts';
import type { TensorData } from '../runtime/session.ts';

export type Feeds = Record<string, TensorData>;

/** `lora_scale` of the adapters. */
export function scaleFeed(lora: Lora): Feeds {
  return { lora_scale: { data: Float32Array.of(scaleOf(lora)), shape: [] } };
}

/** The folder's adapters and their scale; empty if it has none. */
export async function adapterFeeds({ folder, config, lora }: PolicyFolder): Promise<Feeds> {
  if (!lora) return {};
  const tensors = await readAdapters(folder, config, lora);
  const matrices = adapterSpecs(config, lora).map(
    ({ name, shape }) => [name, { data: tensors.get(name)!, shape }] as const,
  );
  return { ...Object.fromEntries(matrices), ...scaleFeed(lora) };
}
