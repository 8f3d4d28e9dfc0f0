// The environment that a run's bits depend on besides its config and inputs, and how a worker's own
// differs from the one that the run started in.

import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { decodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import { damaged } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';

/** Versions and hardware by name. Equal environments promise the same bits. */
export type Environment = Record<string, string>;

let current: Promise<Environment> | undefined;

/** This machine's environment; it does not change during the life of the process. */
export function currentEnvironment(): Promise<Environment> {
  current ??= readEnvironment();
  return current;
}

/**
 * Versions, platform, and the processor's vector features, which decide the kernels. The config
 * holds device and thread count.
 */
async function readEnvironment(): Promise<Environment> {
  const file = new URL('../../package.json', import.meta.url);
  const { version, dependencies } = JSON.parse(await readFile(file, 'utf8'));
  return {
    anneal: version,
    node: process.versions.node,
    'onnxruntime-node': dependencies['onnxruntime-node'],
    platform: `${process.platform} ${process.arch}`,
    processor: await vectorFeatures(),
  };
}

/** Falls back to the processor's name if the system does not list features. */
async function vectorFeatures(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const [, flags] = /^(?:flags|Features)\s*:(.*)$/m.exec(text) ?? [];
  const features = (flags ?? '')
    .split(' ')
    .filter((flag) => /^(avx|fma|amx|f16c|asimd|sve|bf16|i8mm)/.test(flag));
  return features.length > 0 ? features.sort().join(' ') : (cpus()[0]?.model ?? 'unknown');
}

/**
 * A run's manifest. The key `conditions` holds its environment. @throws AnnealError DamagedArtifact
 */
export function parseManifest(text: string): { execution?: string; conditions?: Environment } {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(layout.manifest, 'expected JSON', cause);
  }
}

/**
 * How this environment differs from the one in a run's manifest; empty if the manifest has none.
 * @throws AnnealError DamagedArtifact
 */
export async function differencesFrom(manifest: string | null): Promise<string[]> {
  const { conditions: started = {} } = manifest === null ? {} : parseManifest(manifest);
  const found = await currentEnvironment();
  return Object.entries(started)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${name} '${found[name]}' instead of '${value}'`);
}

/** A line of conditions.jsonl. */
interface Elsewhere {
  epoch: number;
  differences: string[];
}

/** Record that part of an epoch was computed in a different environment from the run's first. */
export async function recordDifferences(
  store: Store,
  epoch: number,
  differences: string[],
): Promise<void> {
  if (differences.length === 0) return;
  const line: Elsewhere = { epoch, differences };
  await store.append(layout.environment, JSON.stringify(line));
}

/** Sentences for the reports: each difference once per epoch. */
export async function environmentNotes(store: Store): Promise<string[]> {
  const text = (await store.readText(layout.environment)) ?? '';
  const lines = decodeJsonl<Elsewhere>(text, layout.environment).flatMap(({ epoch, differences }) =>
    differences.map((difference) => `Epoch ${epoch} ran with ${difference}.`),
  );
  return [...new Set(lines)];
}
