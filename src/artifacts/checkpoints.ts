// Checkpoints: Hugging Face folders of a run, each with a manifest `checkpoint.json` that lists
// every file's hash and `trainer_state.json`, which says where training stood. A checkpoint is
// known by the hash of its manifest. What model files hold is the engine's affair.

import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CheckpointRef, Refitting, Settings } from '../config/records.ts';
import { AnnealError } from '../errors.ts';
import { writeFileAtomic } from './atomic.ts';
import { damaged } from './local-store.ts';
import type { Store } from './store.ts';

const manifestName = 'checkpoint.json';
const trainerStateName = 'trainer_state.json';

interface Manifest {
  format: 1;
  epoch: number;
  step: number;
  /** Sorted by name. */
  files: { name: string; bytes: number; sha256: string }[];
}

/** Where training stood when a checkpoint was made: enough for another run to go on from it. */
export interface TrainerState {
  epoch: number;
  /** Optimiser steps since the start of the run. */
  step: number;
  /** The reference policy that was in force. */
  reference: CheckpointRef;
  /** The model under the checkpoint's adapters, where it holds adapters. */
  base?: CheckpointRef;
  settings: Settings;
  /** At the end of the epoch; only of a run that refits reward models. */
  refitting?: Refitting;
  /** Null where no sample was left to train on and the policy was carried forward as it was. */
  stats: Record<string, number> | null;
}

/**
 * Make a filled scratch folder the checkpoint at `path`. Where the same checkpoint is there
 * already and whole, that one stays.
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
  const there = await openCheckpoint(store, ref).catch(() => null);
  if (there === null) await store.commitFolder(scratch, checkpoint.path);
  else await rm(scratch, { recursive: true });
  return ref;
}

/**
 * The folder of a checkpoint, every file checked against the manifest and the manifest against
 * the reference; those of the model under adapters too. What was checked is not read again while
 * sizes and times stay as they were.
 * @returns an absolute path.
 * @throws AnnealError DamagedArtifact naming the file.
 */
export async function openCheckpoint(store: Store, ref: CheckpointRef): Promise<string> {
  if (ref.base) await openCheckpoint(store, ref.base);
  const folder = store.folder(ref.path);
  const manifest = await readManifest(folder, ref.path, ref.sha256);
  const fingerprint = JSON.stringify([ref.sha256, await Promise.all(stamps(folder, manifest))]);
  if (checked.get(folder) === fingerprint) return folder;
  for (const file of manifest.files) {
    const found = await hashFile(join(folder, file.name)).catch((cause) => {
      throw damaged(`${ref.path}/${file.name}`, 'the file cannot be read', cause);
    });
    if (found !== file.sha256)
      throw damaged(`${ref.path}/${file.name}`, `expected sha256 ${file.sha256}, found ${found}`);
  }
  checked.set(folder, fingerprint);
  return folder;
}

/** Folders checked by this process, with the sizes and times that their files had. */
const checked = new Map<string, string>();

function stamps(folder: string, manifest: Manifest): Promise<string>[] {
  return manifest.files.map(async ({ name }) => {
    const info = await stat(join(folder, name)).catch(() => null);
    return info === null ? 'gone' : `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`;
  });
}

/** Files of a checkpoint that say where training stood, beside the model itself. */
export const trainingFiles: readonly string[] = ['optimizer.safetensors', trainerStateName];

/**
 * Copy a model folder's files but those named in `without`, and no sub-folders; where the disk
 * can share blocks between copies, it does.
 */
export async function copyModel(
  from: string,
  to: string,
  { without = [] }: { without?: readonly string[] } = {},
): Promise<void> {
  for (const name of await modelFiles(from))
    if (!without.includes(name))
      await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}

/** Write where training stood into a checkpoint in the making. */
export async function writeTrainerState(scratch: string, state: TrainerState): Promise<void> {
  await writeFileAtomic(join(scratch, trainerStateName), `${JSON.stringify(state, null, 2)}\n`);
}

/** A checkpoint that another run made: its reference as in that run, and its trainer's state. */
export interface ForeignCheckpoint {
  ref: CheckpointRef;
  state: TrainerState;
}

/**
 * Read a checkpoint folder made by any run.
 * @param folder absolute path of the checkpoint's folder, in that run's `checkpoints/`.
 * @throws AnnealError InvalidModel where the folder is not such a checkpoint.
 */
export async function readForeignCheckpoint(folder: string): Promise<ForeignCheckpoint> {
  try {
    const manifest = await readManifest(folder, folder);
    const text = await readFile(join(folder, trainerStateName), 'utf8');
    const state = JSON.parse(text) as TrainerState;
    const path = `checkpoints/${basename(folder)}`;
    const { epoch, step } = manifest;
    return {
      ref: {
        path,
        sha256: await hashFile(join(folder, manifestName)),
        epoch,
        step,
        ...(state.base && { base: state.base }),
      },
      state,
    };
  } catch (cause) {
    throw new AnnealError(
      'InvalidModel',
      `resume_from: expected the checkpoint folder of a run's epoch, with ${manifestName} and ${trainerStateName} in it, found '${folder}'. Name a folder such as runs/two-phase/checkpoints/epoch-10; to start from any other model use model.path.`,
      { cause },
    );
  }
}

async function readManifest(folder: string, name: string, sha256?: string): Promise<Manifest> {
  const bytes = await readFile(join(folder, manifestName)).catch((cause) => {
    throw damaged(`${name}/${manifestName}`, 'the file cannot be read', cause);
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== undefined && found !== sha256)
    throw damaged(`${name}/${manifestName}`, `expected sha256 ${sha256}, found ${found}`);
  return JSON.parse(bytes.toString());
}

/** Names of a folder's files: no folders, no hidden files, no manifest. Links are followed. */
async function modelFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const kinds = await Promise.all(names.map((name) => stat(join(folder, name))));
  return names.filter((name, index) => kinds[index]!.isFile() && name !== manifestName);
}

async function describeFiles(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = [];
  for (const name of await modelFiles(folder)) {
    const { size } = await stat(join(folder, name));
    files.push({ name, bytes: size, sha256: await hashFile(join(folder, name)) });
  }
  return files;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
