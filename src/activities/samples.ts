// Reads the lists of records that activities pass on through the run's folder.

import { decodeJsonl } from '../artifacts/jsonl.ts';
import type { Store } from '../artifacts/store.ts';
import { parseExactJson } from '../records/exact-json.ts';
import type { Prompt } from '../records/prompts.ts';
import type { ArtifactRef } from '../records/refs.ts';
import type { ScoredRollout } from '../records/rollouts.ts';
import { rememberRecent } from './remember-recent.ts';

/** The rows of a JSONL artifact. @throws AnnealError DamagedArtifact */
export async function readRows<T>(store: Store, ref: ArtifactRef): Promise<T[]> {
  return decodeJsonl<T>((await store.read(ref)).toString(), ref.path);
}

/** The rows of several scored shards, in the order of the shards. */
export async function readScored(store: Store, shards: ArtifactRef[]): Promise<ScoredRollout[]> {
  const rows: ScoredRollout[] = [];
  for (const shard of shards) rows.push(...(await readRows<ScoredRollout>(store, shard)));
  return rows;
}

/** Prompts by id, in the order of their file. */
export type Prompts = ReadonlyMap<string, Prompt>;

/**
 * The prompts of a run. A worker gets the same objects again for the same file, so that rewards can
 * cache by prompt across shards.
 */
export function readPromptsById(store: Store, ref: ArtifactRef): Promise<Prompts> {
  return recentPrompts({ store, ref });
}

const recentPrompts = rememberRecent(
  async ({ store, ref }: { store: Store; ref: ArtifactRef }): Promise<Prompts> => {
    const text = (await store.read(ref)).toString();
    const prompts = decodeJsonl<Prompt>(text, ref.path, parseExactJson);
    return new Map(prompts.map((prompt) => [prompt.id, prompt]));
  },
  ({ ref }) => ref.sha256,
);
