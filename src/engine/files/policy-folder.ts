// A policy's folder: either a full model, or adapters over one.

import type { DecoderConfig } from '../model/config.ts';
import type { Lora } from './adapter-config.ts';
import { loraOf, readAdapterFolder } from './adapter-folder.ts';
import { readModelConfig } from './model-config.ts';

export interface PolicyFolder {
  folder: string;
  /** Folder of the full model: this folder, or the base of its adapters. */
  base: string;
  config: DecoderConfig;
  lora: Lora | undefined;
}

/** @throws AnnealError InvalidModel */
export async function openPolicyFolder(folder: string): Promise<PolicyFolder> {
  const adapter = await readAdapterFolder(folder);
  const base = adapter?.base ?? folder;
  const config = await readModelConfig(base);
  return { folder, base, config, lora: adapter && (await loraOf(adapter, config)) };
}
