// Checkpoints: Hugging Face folders of a run, each with a manifest `checkpoint.json` of every file's
// hash and the state of training, `trainer_state.json`. The hash of the manifest identifies a
// checkpoint. The engine knows the content of model files.

import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Settings } from '../config/schedule.ts';
import {
  copyModelFile,
  listModelFiles,
  readModelBytes,
  readModelText,
} from '../engine/files/model-files.ts';
import { AnnealError } from '../errors.ts';
import type { CheckpointRef, Refitting } from '../records/refs.ts';
import { splitAddress } from './address.ts';
import { hashFile } from './file-hash.ts';
import { writeFileAtomic } from './local/atomic.ts';
import { damaged } from './local/store.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

const manifestName = 'checkpoint.json';
const trainerStateName = 'trainer_state.json';

const manifestSchema = z.strictObject({
  format: z.literal(1),
  epoch: z.int(),
  step: z.int(),
  /** Sorted by name. */
  files: z.array(
    z.strictObject({ name: z.string().regex(/^[^/]+$/), bytes: z.int(), sha256: z.string() }),
  ),
});
type Manifest = z.output<typeof manifestSchema>;

/** The state of training at a checkpoint: enough for another run to continue from it. */
export interface TrainerState {
  epoch: number;
  /** Optimiser steps since the start of the run. */
  step: number;
  /** The reference policy at the time. */
  reference: CheckpointRef;
  /** The model that the checkpoint's adapters belong to, if it holds adapters. */
  base?: CheckpointRef | undefined;
  settings: Settings;
  /** At the end of the epoch; only if the run refits reward models. */
  refitting?: Refitting | undefined;
  /** Null if no sample was left to train on; the policy is then the previous one. */
  stats: Record<string, number> | null;
}

/**
 * Make a filled scratch folder the checkpoint at `path`. If the same checkpoint is already there and
 * intact, that one stays.
 */
export async function commitCheckpoint(
  store: Store,
  scratch: string,
  checkpoint: Omit<CheckpointRef, 'sha256'>,
): Promise<CheckpointRef> {
  const manifest: Manifest = {
    format: 1,
    epoch: checkpoint.epoch,
    step: checkpoint.step,
    files: await describeFiles(scratch),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFileAtomic(join(scratch, manifestName), text);
  const ref = { ...checkpoint, sha256: createHash('sha256').update(text).digest('hex') };
  const existing = await openCheckpoint(store, ref).catch(() => null);
  if (existing === null) await store.commitFolder(scratch, checkpoint.path);
  else await rm(scratch, { recursive: true });
  return ref;
}

/**
 * The folder of a checkpoint, with the manifest checked against the reference and every file against
 * the manifest; likewise for the base of adapters. Checked files are not read again while their
 * sizes and times stay the same.
 * @returns an absolute path.
 * @throws AnnealError DamagedArtifact naming the file.
 */
export async function openCheckpoint(store: Store, ref: CheckpointRef): Promise<string> {
  if (ref.base) await openCheckpoint(store, ref.base);
  const folder = await store.fetchFolder(ref.path).catch(async (error) => {
    const found = await store.list(dirname(ref.path));
    if (found.includes(basename(ref.path))) throw error;
    const others = found.join(', ') || 'none';
    throw damaged(ref.path, `it is missing; existing checkpoints: ${others}`, error);
  });
  const manifest = await readManifest(folder, ref.path, ref.sha256);
  for (const file of manifest.files) {
    const found = await hashFile(join(folder, file.name)).catch((cause) => {
      throw damaged(`${ref.path}/${file.name}`, 'the file cannot be read', cause);
    });
    if (found !== file.sha256)
      throw damaged(`${ref.path}/${file.name}`, `expected sha256 ${file.sha256}, found ${found}`);
  }
  return folder;
}

/** Files of a checkpoint that hold the state of training, besides the model itself. */
export const trainingFiles: readonly string[] = ['optimizer.safetensors', trainerStateName];

/**
 * Copy a model folder's files except those in `without`; sub-folders are left out. Copies share
 * blocks on file systems that can.
 */
export async function copyModel(
  from: string,
  to: string,
  { without = [] }: { without?: readonly string[] } = {},
): Promise<void> {
  for (const name of await modelFiles(from))
    if (!without.includes(name)) await copyModelFile(join(from, name), join(to, name));
}

/** Copy a model folder into a run, as the checkpoint at `path`. */
export async function importCheckpoint(
  store: Store,
  folder: string,
  checkpoint: Omit<CheckpointRef, 'sha256'>,
  leaveOut: { without?: readonly string[] } = {},
): Promise<CheckpointRef> {
  const scratch = await store.scratch(checkpoint.path);
  await copyModel(folder, scratch, leaveOut);
  return commitCheckpoint(store, scratch, checkpoint);
}

/** Write the state of training into a checkpoint's scratch folder. */
export async function writeTrainerState(scratch: string, state: TrainerState): Promise<void> {
  await writeFileAtomic(join(scratch, trainerStateName), `${JSON.stringify(state, null, 2)}\n`);
}

/**
 * The state of training in a checkpoint; its weights are not fetched.
 * @throws AnnealError DamagedArtifact
 */
export async function readTrainerState(store: Store, path: string): Promise<TrainerState> {
  const name = `${path}/${trainerStateName}`;
  const listing = await store.readText(`${path}/${manifestName}`);
  if (listing === null) throw damaged(`${path}/${manifestName}`, 'the file cannot be read');
  const manifest = parseManifest(listing, path);
  const text = await store.readText(name);
  if (text === null) throw damaged(name, 'the file cannot be read');
  const found = createHash('sha256').update(text).digest('hex');
  const expected = manifest.files.find((file) => file.name === trainerStateName)?.sha256;
  if (found !== expected) throw damaged(name, `expected sha256 ${expected}, found ${found}`);
  return JSON.parse(text);
}

/** A checkpoint of another run: its reference in that run, and its trainer state. */
export interface ForeignCheckpoint {
  /** That run's files. */
  source: Store;
  ref: CheckpointRef;
  state: TrainerState;
}

/**
 * Read a checkpoint folder made by any run.
 * @param address of the checkpoint's folder, in that run's `checkpoints/`.
 * @throws AnnealError InvalidModel if the folder is not a checkpoint
 */
export async function readForeignCheckpoint(address: string): Promise<ForeignCheckpoint> {
  const { run, path } = splitAddress(address);
  const source = openStore(run);
  try {
    const folder = await source.fetchFolder(path);
    const manifest = await readManifest(folder, path);
    const text = await readModelText(join(folder, trainerStateName));
    const state = JSON.parse(text ?? '') as TrainerState;
    const { epoch, step } = manifest;
    if (epoch !== state.epoch || step !== state.step)
      throw damaged(`${path}/${manifestName}`, `epoch and step differ from ${trainerStateName}`);
    return {
      source,
      ref: {
        path,
        sha256: await hashFile(join(folder, manifestName)),
        epoch,
        step,
        base: state.base,
      },
      state,
    };
  } catch (cause) {
    throw new AnnealError(
      'InvalidModel',
      `resume_from: expected the checkpoint folder of a run's epoch, with ${manifestName} and ${trainerStateName}, found '${address}'. Name a folder such as runs/two-phase/checkpoints/epoch-10; to start from any other model use model.path.`,
      { cause },
    );
  }
}

async function readManifest(folder: string, name: string, sha256?: string): Promise<Manifest> {
  const unreadable = (cause?: unknown) =>
    damaged(`${name}/${manifestName}`, 'the file cannot be read', cause);
  const bytes = await readModelBytes(join(folder, manifestName)).catch((cause) => {
    throw unreadable(cause);
  });
  if (bytes === null) throw unreadable();
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== undefined && found !== sha256)
    throw damaged(`${name}/${manifestName}`, `expected sha256 ${sha256}, found ${found}`);
  return parseManifest(bytes.toString(), name);
}

function parseManifest(text: string, name: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(
      `${name}/${manifestName}`,
      "expected a JSON list of the checkpoint's files",
      cause,
    );
  }
}

/** Names of a folder's files: no folders, no hidden files, no manifest. */
async function modelFiles(folder: string): Promise<string[]> {
  return (await listModelFiles(folder)).filter((name) => name !== manifestName);
}

async function describeFiles(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = [];
  for (const name of await modelFiles(folder)) {
    const { size } = await stat(join(folder, name));
    files.push({ name, bytes: size, sha256: await hashFile(join(folder, name)) });
  }
  return files;
}
