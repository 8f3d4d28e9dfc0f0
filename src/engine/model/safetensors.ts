// safetensors files: a header of JSON that says where each tensor's bytes lie, then the bytes.
// Reading checks everything the header claims against the file before anything is allocated.
// Format: https://github.com/huggingface/safetensors#format

import { open, readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';

const elementBytes = { F32: 4, F16: 2, BF16: 2, I64: 8 } as const;
export type SafetensorsDtype = keyof typeof elementBytes;

/** Upstream's own limit on the header. */
const maxHeaderBytes = 100_000_000;

/** One tensor: `offset` counts from the start of the file. */
export interface TensorEntry {
  dtype: SafetensorsDtype;
  shape: number[];
  offset: number;
  length: number;
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/**
 * Read a file's header.
 * @throws AnnealError InvalidModel naming the file and tensor where header and file disagree
 */
export async function readHeader(path: string): Promise<Map<string, TensorEntry>> {
  const { size } = await stat(path).catch((cause) => {
    throw new AnnealError('InvalidModel', `expected weights in ${path}, found no such file`, {
      cause,
    });
  });
  const file = await open(path);
  try {
    const prefix = Buffer.alloc(8);
    const { bytesRead } = await file.read(prefix, 0, 8, 0);
    const length = bytesRead === 8 ? Number(prefix.readBigUInt64LE()) : Number.NaN;
    if (!(length >= 2 && length <= Math.min(maxHeaderBytes, size - 8)))
      throw damaged(path, `a header of at most ${size - 8} bytes`, `a length of ${length}`);
    const header = Buffer.alloc(length);
    await file.read(header, 0, length, 8);
    return entriesOf(path, header.toString('utf8'), 8 + length, size);
  } finally {
    await file.close();
  }
}

function entriesOf(path: string, json: string, base: number, size: number) {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw damaged(path, 'a header of JSON', (cause as Error).message);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged(path, 'an object of tensors', JSON.stringify(header).slice(0, 60));
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header))
    if (name !== '__metadata__') entries.set(name, entryOf(path, name, value, base, size));
  return entries;
}

function entryOf(path: string, name: string, value: unknown, base: number, size: number) {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) throw damaged(path, `tensor ${name}`, z.prettifyError(parsed.error));
  const { dtype, shape, data_offsets } = parsed.data;
  if (!(dtype in elementBytes))
    throw damaged(path, `tensor ${name} of ${Object.keys(elementBytes).join(', ')}`, dtype);
  const [start, end] = data_offsets;
  const length = shape.reduce((n, d) => n * d, elementBytes[dtype as SafetensorsDtype]);
  if (end - start !== length)
    throw damaged(path, `${length} bytes for tensor ${name} [${shape}] ${dtype}`, `${end - start}`);
  if (base + end > size)
    throw damaged(path, `tensor ${name} to end by byte ${size} (the file's end)`, `${base + end}`);
  return { dtype: dtype as SafetensorsDtype, shape, offset: base + start, length };
}

function damaged(path: string, expected: string, found: string): AnnealError {
  return new AnnealError(
    'InvalidModel',
    `${path}: damaged or truncated: expected ${expected}, found ${found}; copy the file again`,
  );
}

/** A file of float32 tensors, read whole. */
export async function readFloat32(path: string): Promise<Map<string, Float32Array>> {
  const entries = await readHeader(path);
  const bytes = await readFile(path);
  return new Map([...entries].map(([name, entry]) => [name, toFloat32(bytes, entry)]));
}

/** The elements of a tensor, widened where they are halves. @throws where they are integers */
export function toFloat32(
  file: Uint8Array,
  { dtype, offset, length }: TensorEntry,
): Float32Array<ArrayBuffer> {
  const { buffer } = new Uint8Array(file.subarray(offset, offset + length)); // an aligned copy
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F16') return Float32Array.from(new Float16Array(buffer));
  if (dtype === 'BF16')
    return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (h) => h << 16).buffer);
  throw new AnnealError('InvalidModel', `expected floats, found ${dtype}`);
}

/** The bytes of a file of float32 tensors, in the order given; the same input, the same bytes. */
export function encodeFloat32(
  tensors: Iterable<readonly [name: string, shape: readonly number[], data: Float32Array]>,
): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, shape, data] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([prefix, padded, ...parts]);
}
