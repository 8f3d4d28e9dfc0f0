// Where a folder's tensors are, under the names that transformers' classes give them, whatever
// saved them: a model without its head, torch.compile, data-parallel or Lightning wrappers.

import { join } from 'node:path';
import { z } from 'zod';
import { LruMap } from '../../collections/lru-map.ts';
import { AnnealError } from '../../errors.ts';
import { embeddingsName, headName } from '../model/parameters.ts';
import { parseJsonAs } from './json.ts';
import { isModelFile, readModelText, withModelFile } from './model-files.ts';
import { asFloats, readHeader, type TensorEntry } from './safetensors.ts';
import { readBytes, toFloat32 } from './tensor-bytes.ts';

/** The weights of a model that is not sharded. */
export const weightsFile = 'model.safetensors';
export const indexFile = 'model.safetensors.index.json';

/** A tensor in one of a folder's files. */
export interface StoredTensor extends TensorEntry {
  /** Name of the file within the folder. */
  file: string;
  /** Its name there. */
  storedName: string;
}

/** What torch.compile, FSDP and activation checkpointing put between the parts of a name. */
const innerWrappers = /(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;
/** What data parallelism and a module around the model put before a name. */
const outerWrappers = /^(?:module\.)*(?:model\.(?=model\.|lm_head\.|score\.))?/;

/** A tensor's name in transformers' class with a head. */
export function plainName(stored: string): string {
  const name = stored.replace(innerWrappers, '').replace(outerWrappers, '');
  return /^(?:embed_tokens|layers|norm)\./.test(name) ? `model.${name}` : name;
}

/**
 * A folder's tensors by name: those in `model.safetensors` or, if it does not exist, in the shards
 * that the index names; none if there is neither.
 * @throws AnnealError InvalidModel naming file and tensor
 */
export async function storedTensors(folder: string): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of await weightFiles(folder))
    for (const [storedName, entry] of await readHeader(join(folder, file))) {
      const name = plainName(storedName);
      const other = tensors.get(name);
      if (other)
        throw new AnnealError(
          'InvalidModel',
          `${join(folder, file)}: expected tensor ${name} once, found it as ${storedName} and, in ${other.file}, as ${other.storedName}; keep one of them`,
        );
      tensors.set(name, { ...entry, file, storedName });
    }
  return tensors;
}

async function weightFiles(folder: string): Promise<string[]> {
  if (await isModelFile(join(folder, weightsFile))) return [weightsFile];
  const path = join(folder, indexFile);
  const text = await readModelText(path);
  if (text === null) return [];
  // No paths: an index must not point outside its folder.
  const fileName = z.string().regex(/^[^/\\\0]*[^/\\\0.][^/\\\0]*$/);
  const schema = z.looseObject({ weight_map: z.record(z.string(), fileName) });
  const map = Object.entries(parseJsonAs(path, text, schema).weight_map);
  for (const [file, indexed] of Map.groupBy(map, ([, name]) => name)) {
    const names = indexed.map(([tensor]) => tensor);
    await checkShard(folder, file, names);
  }
  return [...new Set(map.map(([, file]) => file))].sort();
}

/** @throws AnnealError InvalidModel if a shard is missing, or a tensor that the index has in it */
async function checkShard(folder: string, file: string, names: readonly string[]): Promise<void> {
  if (!(await isModelFile(join(folder, file))))
    throw new AnnealError(
      'InvalidModel',
      `${join(folder, indexFile)}: expected shard ${file} with tensor ${names[0]} beside it, found no such file; copy the whole folder again`,
    );
  const header = await readHeader(join(folder, file));
  const missing = names.find((name) => !header.has(name));
  if (missing !== undefined)
    throw new AnnealError(
      'InvalidModel',
      `${join(folder, file)}: expected tensor ${missing}, which ${indexFile} has in it, found none of that name among ${header.size}; copy the whole folder again`,
    );
}

/** What comparing two tensors of files gave, by the files and their times. */
const compared = new LruMap<string, boolean>(16);

/**
 * Whether a model has a head of its own beside its embeddings, with other numbers. If so,
 * transformers 5 uses it even if the config ties the two (version 4 does not).
 */
export async function hasOwnHead(
  folder: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<boolean> {
  const [embeddings, head] = [tensors.get(embeddingsName), tensors.get(headName)];
  if (!embeddings || !head) return false;
  if (String(embeddings.shape) !== String(head.shape)) return true;
  const stamps = await Promise.all([embeddings, head].map((tensor) => stampOf(folder, tensor)));
  const key = JSON.stringify(stamps);
  const known = compared.get(key);
  if (known !== undefined) return known;
  const differs = await differ(folder, embeddings, head);
  compared.set(key, differs);
  return differs;
}

async function stampOf(folder: string, { file, offset }: StoredTensor) {
  const path = join(folder, file);
  const times = await withModelFile(path, async ({ handle }) => {
    const { ino, size, mtimeMs, ctimeMs } = await handle.stat();
    return [ino, size, mtimeMs, ctimeMs];
  });
  return [path, times, offset];
}

/** Whether two tensors of the same shape hold other numbers, compared in parts. */
async function differ(folder: string, a: StoredTensor, b: StoredTensor): Promise<boolean> {
  const count = a.shape.reduce((n, size) => n * size, 1);
  const partElements = 1 << 22;
  for (let at = 0; at < count; at += partElements) {
    const length = Math.min(partElements, count - at);
    const [x, y] = await Promise.all([a, b].map((t) => readPart(folder, t, at, length)));
    if (x!.some((value, i) => value !== y![i])) return true;
  }
  return false;
}

async function readPart(folder: string, tensor: StoredTensor, start: number, count: number) {
  const path = join(folder, tensor.file);
  const { dtype, offset } = asFloats(path, tensor.storedName, tensor);
  const size = dtype === 'F32' ? 4 : 2;
  const bytes = await withModelFile(path, ({ handle }) =>
    readBytes(handle, path, offset + start * size, count * size),
  );
  return toFloat32(bytes!, dtype);
}
