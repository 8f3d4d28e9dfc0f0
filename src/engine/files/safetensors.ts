// Reads safetensors files: a JSON header that says where each tensor's bytes are, then the bytes.
// Everything in the header is checked against the file before memory is allocated.
// Format: https://github.com/huggingface/safetensors#format

import { z } from 'zod';
import { AnnealError, withoutExcerpt } from '../../errors.ts';
import { type ModelFile, withModelFile } from './model-files.ts';
import {
  type FloatDtype,
  firstNonFinite,
  floatDtypes,
  readBytes,
  toFloat32,
} from './tensor-bytes.ts';

/** Bits of an element. Weights are floats, but a file may hold other tensors too. */
const dtypeBits = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  U16: 16,
  I16: 16,
  U32: 32,
  I32: 32,
  U64: 64,
  I64: 64,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
} as const;
export type SafetensorsDtype = keyof typeof dtypeBits;

/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;

/** One tensor. `offset` counts from the start of the file. */
export interface TensorEntry {
  dtype: SafetensorsDtype;
  shape: number[];
  offset: number;
  length: number;
}

/** A tensor of weights. */
export interface FloatEntry extends TensorEntry {
  dtype: FloatDtype;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/**
 * Read a file's header.
 * @throws AnnealError InvalidModel naming file and tensor if header and file disagree
 */
export function readHeader(path: string): Promise<Map<string, TensorEntry>> {
  return withWeights(path, async ({ handle, size }) => {
    if (size < 10) throw damaged(path, 'a header of 10 bytes or more', `${size} bytes`);
    const prefix = new DataView((await readBytes(handle, path, 0, 8)).buffer);
    const length = Number(prefix.getBigUint64(0, true));
    const most = Math.min(maxHeaderBytes, size - 8);
    if (length < 2 || length > most)
      throw damaged(path, `a header of at most ${most} bytes`, `a length of ${length}`);
    const header = await readBytes(handle, path, 8, length);
    return entriesOf(path, new TextDecoder().decode(header), 8 + length, size);
  });
}

/** Open a file of weights for `use`. @throws AnnealError InvalidModel if there is none */
async function withWeights<T extends object>(
  path: string,
  use: (file: ModelFile) => Promise<T>,
): Promise<T> {
  const result = await withModelFile(path, use);
  if (result !== null) return result;
  throw new AnnealError('InvalidModel', `expected weights in ${path}, found no such file`);
}

function entriesOf(path: string, json: string, base: number, size: number) {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw damaged(path, 'a header of JSON', withoutExcerpt((cause as Error).message));
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged(path, 'an object of tensors', 'another value');
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header))
    if (name !== '__metadata__') entries.set(name, entryOf(path, name, value, base, size));
  checkLayout(path, entries, base, size);
  return entries;
}

function entryOf(
  path: string,
  name: string,
  value: unknown,
  base: number,
  size: number,
): TensorEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) throw damaged(path, `tensor ${name}`, z.prettifyError(parsed.error));
  const { shape, data_offsets } = parsed.data;
  const dtype = parsed.data.dtype as SafetensorsDtype;
  if (!Object.hasOwn(dtypeBits, dtype))
    throw damaged(path, `tensor ${name} of ${Object.keys(dtypeBits).join(', ')}`, dtype);
  const [start, end] = data_offsets;
  const length = byteLength(shape, dtype);
  if (length === undefined)
    throw damaged(
      path,
      `tensor ${name} of fewer than 2^53 bits, in whole bytes`,
      `[${shape}] ${dtype}`,
    );
  if (end - start !== length)
    throw damaged(path, `${length} bytes for tensor ${name} [${shape}] ${dtype}`, `${end - start}`);
  if (base + end > size)
    throw damaged(path, `tensor ${name} to end by byte ${size} (the file's end)`, `${base + end}`);
  return { dtype, shape, offset: base + start, length };
}

/** Undefined if the number of bits is not exact in float64 or not a whole number of bytes. */
function byteLength(shape: readonly number[], dtype: SafetensorsDtype): number | undefined {
  let bits: number = dtypeBits[dtype];
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}

/** Tensors must lie end to end and fill the file, as the format requires; so none overlap. */
function checkLayout(
  path: string,
  entries: ReadonlyMap<string, TensorEntry>,
  base: number,
  size: number,
): void {
  const inOrder = [...entries].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  let [end, before] = [base, 'the header'];
  for (const [name, { offset, length }] of inOrder) {
    const wrong = offset < end ? 'inside it' : 'after a gap';
    if (offset !== end)
      throw damaged(
        path,
        `tensor ${name} to begin at byte ${end}, where ${before} ends`,
        `byte ${offset}, ${wrong}`,
      );
    [end, before] = [offset + length, `tensor ${name}`];
  }
  if (end !== size)
    throw damaged(path, `the file to end at byte ${end}, where ${before} ends`, `${size} bytes`);
}

function damaged(path: string, expected: string, found: string): AnnealError {
  return new AnnealError(
    'InvalidModel',
    `${path}: damaged or truncated: expected ${expected}, found ${found}; copy the file again`,
  );
}

/** The entry of a tensor of weights. @throws AnnealError InvalidModel if it holds no floats */
export function asFloats<T extends TensorEntry>(
  path: string,
  name: string,
  entry: T,
): T & FloatEntry {
  const { dtype, shape } = entry;
  if (Object.hasOwn(floatDtypes, dtype)) return entry as T & FloatEntry;
  throw new AnnealError(
    'InvalidModel',
    `${path}: expected tensor ${name} [${shape}] of ${Object.keys(floatDtypes).join(', ')}, found ${dtype}; give the model in one of these, not quantized`,
  );
}

/** All tensors of a file of floats, in the header's order. @throws AnnealError InvalidModel */
export async function readFloat32(path: string): Promise<Map<string, Float32Array>> {
  const entries = [...(await readHeader(path))];
  return readTensors(
    path,
    entries.map(([name, entry]) => [name, asFloats(path, name, entry)]),
  );
}

/**
 * Some of a file's tensors as float32. Each is read separately, so that only these take memory.
 * @throws AnnealError InvalidModel for a number that is not finite
 */
export function readTensors(
  path: string,
  entries: Iterable<readonly [name: string, entry: FloatEntry]>,
): Promise<Map<string, Float32Array>> {
  return withWeights(path, async ({ handle }) => {
    const tensors = new Map<string, Float32Array>();
    for (const [name, entry] of entries) {
      const bytes = await readBytes(handle, path, entry.offset, entry.length);
      checkFinite(path, name, entry, bytes);
      tensors.set(name, toFloat32(bytes, entry.dtype));
    }
    return tensors;
  });
}

/** All bytes of a file of weights (fs.readFile is limited to 2 GiB). @throws AnnealError InvalidModel */
export function readWhole(path: string): Promise<Uint8Array> {
  return withWeights(path, ({ handle, size }) => readBytes(handle, path, 0, size));
}

/** @throws AnnealError InvalidModel naming the first element that is NaN or infinite */
export function checkFinite(
  path: string,
  name: string,
  { dtype, shape }: FloatEntry,
  bytes: Uint8Array,
): void {
  const index = firstNonFinite(bytes, dtype);
  if (index < 0) return;
  const size = dtype === 'F32' ? 4 : 2;
  const [value] = toFloat32(bytes.subarray(index * size, (index + 1) * size), dtype);
  throw new AnnealError(
    'InvalidModel',
    `${path}: expected finite numbers in tensor ${name} [${shape}] ${dtype}, found ${value} at element ${index}; the file is damaged, or its training diverged: use another copy or an earlier checkpoint`,
  );
}
