// Writes safetensors files of any size, tensor by tensor. The header follows from names and shapes,
// so a tensor is needed only when its turn comes, and none is copied.

import { type FileHandle, open, rm } from 'node:fs/promises';
import { AnnealError } from '../../errors.ts';
import { firstNonFinite, partBytes } from './tensor-bytes.ts';

/** A tensor to write. Data given as a function is computed when its turn comes. */
export type Float32Tensor = readonly [
  name: string,
  shape: readonly number[],
  data: Float32Array | (() => Float32Array | Promise<Float32Array>),
];

/**
 * Write float32 tensors in the given order; the same input gives the same bytes. The file is not
 * synced: the store does that when it commits a folder. If writing fails, the file is removed.
 * @throws AnnealError NonFinite naming the first tensor with a NaN or infinite element
 */
export async function writeFloat32(path: string, tensors: Iterable<Float32Tensor>): Promise<void> {
  const list = [...tensors];
  const file = await open(path, 'w');
  try {
    await writeAll(file, headerOf(list));
    for (const tensor of list) await writeAll(file, await bytesOf(path, tensor));
  } catch (error) {
    await rm(path);
    throw error;
  } finally {
    await file.close();
  }
}

/** The header's length, then its JSON, padded with spaces to a multiple of eight bytes. */
function headerOf(tensors: readonly Float32Tensor[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, shape] of tensors) {
    const end = offset + 4 * elements(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length));
  json.copy(bytes, 8);
  return bytes;
}

const elements = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);

async function bytesOf(path: string, [name, shape, source]: Float32Tensor) {
  const data = typeof source === 'function' ? await source() : source;
  const tensor = `${path}: tensor ${name} [${shape}]`;
  const count = elements(shape);
  if (data.length !== count)
    throw new AnnealError(
      'InvalidModel',
      `${tensor}: expected ${count} numbers, found ${data.length}`,
    );
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const index = firstNonFinite(bytes, 'F32');
  if (index < 0) return bytes;
  throw new AnnealError(
    'NonFinite',
    `${tensor}: expected finite numbers, found ${data[index]} at element ${index}; nothing was written; lower training.learning_rate`,
  );
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const part = Math.min(partBytes, bytes.length - at);
    at += (await file.write(bytes, at, part)).bytesWritten;
  }
}
