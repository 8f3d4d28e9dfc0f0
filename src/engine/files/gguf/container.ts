// Writes GGUF files, tensor by tensor: metadata, where each tensor is, then the tensors.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3)

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { AnnealError } from '../../../errors.ts';
import { firstNonFinite, partBytes } from '../tensor-bytes.ts';
import { type StoredType, storedTypes } from './stored-types.ts';

/** A value of the metadata, with its type in the file. */
export type MetadataValue =
  | { type: 'u32' | 'i32' | 'f32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'i32s' | 'f32s'; value: readonly number[] }
  | { type: 'strings'; value: readonly string[] };

/** Metadata in the order of the file. */
export type Metadata = readonly (readonly [key: string, value: MetadataValue])[];

/** A tensor of shape [..., columns], its rows stored as `type`; it is read when its turn comes. */
export interface GgufTensor {
  name: string;
  shape: readonly number[];
  type: StoredType;
  read: () => Promise<Float32Array>;
}

/** Each tensor starts at a multiple of this many bytes. */
const alignment = 32;
const version = 3;
const numberArrays = { u32: Uint32Array, i32: Int32Array, f32: Float32Array };
const typeIds = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, list: 9 } as const;

/**
 * Write a file. If writing fails, nothing is left of it.
 * @throws AnnealError NonFinite naming a tensor with NaN or infinity
 */
export async function writeGguf(
  path: string,
  metadata: Metadata,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'wx');
  try {
    await writeAll(file, padded(headerOf(metadata, tensors)));
    for (const tensor of tensors) await writeAll(file, padded(await bytesOf(path, tensor)));
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}

function headerOf(metadata: Metadata, tensors: readonly GgufTensor[]): Uint8Array {
  const header = new ByteWriter();
  header.bytes(Buffer.from('GGUF'));
  header.u32(version);
  header.u64(tensors.length);
  header.u64(metadata.length);
  for (const [key, value] of metadata) {
    header.string(key);
    header.value(value);
  }
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    header.string(name);
    header.u32(shape.length);
    // The fastest dimension comes first.
    for (const size of shape.toReversed()) header.u64(size);
    header.u32(storedTypes[type].id);
    header.u64(offset);
    offset += aligned(sizeOf(shape, type));
  }
  return header.done();
}

class ByteWriter {
  readonly #pieces: Uint8Array[] = [];

  bytes(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  u32(value: number): void {
    const piece = Buffer.alloc(4);
    piece.writeUInt32LE(value);
    this.bytes(piece);
  }

  u64(value: number): void {
    const piece = Buffer.alloc(8);
    piece.writeBigUInt64LE(BigInt(value));
    this.bytes(piece);
  }

  string(text: string): void {
    const bytes = Buffer.from(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  value({ type, value }: MetadataValue): void {
    if (type === 'string') {
      this.u32(typeIds.string);
      this.string(value);
    } else if (type === 'bool') {
      this.u32(typeIds.bool);
      this.bytes(Uint8Array.of(value ? 1 : 0));
    } else if (type === 'strings') {
      this.#list(typeIds.string, value.length);
      for (const text of value) this.string(text);
    } else if (type === 'i32s') {
      this.#list(typeIds.i32, value.length);
      this.bytes(new Uint8Array(Int32Array.from(value).buffer));
    } else if (type === 'f32s') {
      this.#list(typeIds.f32, value.length);
      this.bytes(new Uint8Array(Float32Array.from(value).buffer));
    } else {
      this.u32(typeIds[type]);
      this.bytes(new Uint8Array(numberArrays[type].of(value as number).buffer));
    }
  }

  #list(item: number, length: number): void {
    this.u32(typeIds.list);
    this.u32(item);
    this.u64(length);
  }

  done(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}

const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

function padded(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array(aligned(bytes.length) - bytes.length)];
}

function sizeOf(shape: readonly number[], type: StoredType): number {
  const { blockElements, blockBytes } = storedTypes[type];
  return (shape.reduce((count, size) => count * size, 1) / blockElements) * blockBytes;
}

async function bytesOf(path: string, { name, shape, type, read }: GgufTensor): Promise<Uint8Array> {
  const data = await read();
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const stored = storedTypes[type].store(data);
  const index = firstNonFinite(bytes, 'F32');
  if (index < 0 && stored.length === sizeOf(shape, type)) return stored;
  throw new AnnealError(
    'NonFinite',
    `${path}: tensor ${name} [${shape}]: expected finite numbers, found ${data[index]} at element ${index}; nothing was written`,
  );
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  for (const bytes of pieces)
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(partBytes, bytes.length - at);
      at += (await file.write(bytes, at, part)).bytesWritten;
    }
}
