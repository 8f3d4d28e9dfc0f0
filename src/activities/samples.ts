// Reads the lists of records that activities hand to each other through the run's folder.

import { decodeJsonl } from '../artifacts/jsonl.ts';
import type { Store } from '../artifacts/store.ts';
import type { ArtifactRef, Prompt, ScoredRollout } from '../config/records.ts';

/** The rows of a JSONL artifact. @throws AnnealError DamagedArtifact */
export async function readRows<T>(store: Store, ref: ArtifactRef): Promise<T[]> {
  return decodeJsonl<T>((await store.read(ref)).toString(), ref.path);
}

/** The rows of several scored shards, in the order of the shards. */
export async function readScored(store: Store, shards: ArtifactRef[]): Promise<ScoredRollout[]> {
  const rows = await Promise.all(shards.map((shard) => readRows<ScoredRollout>(store, shard)));
  return rows.flat();
}

/** Prompts by their ids. */
export async function readPromptsById(
  store: Store,
  ref: ArtifactRef,
): Promise<Map<string, Prompt>> {
  const prompts = await readRows<Prompt>(store, ref);
  return new Map(prompts.map((prompt) => [prompt.id, prompt]));
}
