// What a run's bits depend on beside its config and its inputs, and whether work is done under the
// conditions that the run began with.

import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { decodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import { damaged } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';

/** By name; the same bits are promised where all are equal. */
export type Conditions = Record<string, string>;

let here: Promise<Conditions> | undefined;

/** Those of this machine, which do not change while the process lives. */
export function conditionsHere(): Promise<Conditions> {
  here ??= readConditions();
  return here;
}

/**
 * Versions, platform and what the processor's vector units can do, by which kernels are chosen.
 * Device and number of threads are in the config.
 */
async function readConditions(): Promise<Conditions> {
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

/** Where the system does not tell features, the processor's name stands for them. */
async function vectorFeatures(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const [, flags] = /^(?:flags|Features)\s*:(.*)$/m.exec(text) ?? [];
  const features = (flags ?? '')
    .split(' ')
    .filter((flag) => /^(avx|fma|amx|f16c|asimd|sve|bf16|i8mm)/.test(flag));
  return features.length > 0 ? features.sort().join(' ') : (cpus()[0]?.model ?? 'unknown');
}

/** A run's manifest. @throws AnnealError DamagedArtifact */
export function parseManifest(text: string): { execution?: string; conditions?: Conditions } {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(layout.manifest, 'expected JSON', cause);
  }
}

/**
 * What is other here than a manifest says that its run began with; nothing where it does not say.
 * @throws AnnealError DamagedArtifact
 */
export async function differencesFrom(manifest: string | null): Promise<string[]> {
  const { conditions: began = {} } = manifest === null ? {} : parseManifest(manifest);
  const found = await conditionsHere();
  return Object.entries(began)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${name} '${found[name]}' instead of '${value}'`);
}

/** A line of conditions.jsonl. */
interface Elsewhere {
  epoch: number;
  differences: string[];
}

/** Write down that an epoch was worked on under other conditions than its run began with. */
export async function noteDifferences(
  store: Store,
  epoch: number,
  differences: string[],
): Promise<void> {
  if (differences.length === 0) return;
  const line: Elsewhere = { epoch, differences };
  await store.append(layout.conditions, JSON.stringify(line));
}

/** What reports say of it, an epoch and a difference each but once. */
export async function conditionNotes(store: Store): Promise<string[]> {
  const text = (await store.readDocument(layout.conditions)) ?? '';
  const lines = decodeJsonl<Elsewhere>(text, layout.conditions).flatMap(({ epoch, differences }) =>
    differences.map((difference) => `Epoch ${epoch} was worked on with ${difference}.`),
  );
  return [...new Set(lines)];
}
