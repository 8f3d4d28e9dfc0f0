// A policy's folder: either a full model, or adapters over one.

import type { DecoderConfig } from '../model/config.ts';
import { type AdapterFolder, readAdapterFolder } from './adapter-folder.ts';
import { readModelConfig } from './model-config.ts';

export interface PolicyFolder {
  folder: string;
  /** Folder of the full model: this folder, or the base of its adapters. */
  base: string;
  config: DecoderConfig;
  lora: AdapterFolder['lora'] | undefined;
}

/** @throws AnnealError InvalidModel */
export async function openPolicyFolder(folder: string): Promise<PolicyFolder> {
  const adapter = await readAdapterFolder(folder);
  const base = adapter?.base ?? folder;
  return { folder, base, config: await readModelConfig(base), lora: adapter?.lora };
}
