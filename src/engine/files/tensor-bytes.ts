// The bytes of tensors: reading them from files of any size, converting to float32, searching for
// NaN and infinity. safetensors.ts knows where in a file a tensor is.

import type { FileHandle } from 'node:fs/promises';
import { AnnealError } from '../../errors.ts';

/** Data types of weights in safetensors files, with their names in graphs and in transformers. */
export const floatDtypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;
export type FloatDtype = keyof typeof floatDtypes;

const elementBytes: Record<FloatDtype, number> = { F32: 4, F16: 2, BF16: 2 };

/** Most bytes of one read or write: system calls are limited to 2 GiB. */
export const partBytes = 1 << 30;

/** `length` bytes from `position`. @throws AnnealError InvalidModel if the file is shorter */
export async function readBytes(
  file: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = allocate(path, length);
  for (let at = 0; at < length; ) {
    const part = Math.min(partBytes, length - at);
    const { bytesRead } = await file.read(bytes, at, part, position + at);
    if (bytesRead === 0)
      throw new AnnealError(
        'InvalidModel',
        `${path}: expected ${position + length} bytes, found ${position + at}; copy the file again`,
      );
    at += bytesRead;
  }
  return bytes;
}

/** A file with holes can be larger than any memory. */
function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a part that fits in memory, found one of ${length} bytes; give a smaller model`,
      { cause },
    );
  }
}

/** Little-endian floats as float32: a view if they are aligned float32, otherwise a copy. */
export function toFloat32(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const count = bytes.length / elementBytes[dtype];
  if (dtype === 'F32') return new Float32Array(buffer, byteOffset, count);
  if (dtype === 'F16') return new Float32Array(new Float16Array(buffer, byteOffset, count));
  const upper = new Uint16Array(buffer, byteOffset, count);
  const words = new Int32Array(upper.length);
  for (let i = 0; i < upper.length; i++) words[i] = upper[i]! << 16;
  return new Float32Array(words.buffer);
}

/** All bits of the exponent, and the lowest of them, in a 4-byte word of one or two floats. */
const exponents: Record<FloatDtype, readonly [mask: number, lowest: number]> = {
  F32: [0x7f800000, 0x00800000],
  F16: [0x7c007c00, 0x04000400],
  BF16: [0x7f807f80, 0x00800080],
};

/**
 * Index of the first element that is NaN or infinite, or -1. Such a number has all bits of its
 * exponent set, so adding the lowest of them carries into the sign bit: half a second per gigabyte.
 */
export function firstNonFinite(bytes: Uint8Array, dtype: FloatDtype): number {
  const blockBytes = 1 << 16;
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    if (!carries(block, dtype)) continue;
    const index = toFloat32(block, dtype).findIndex((value) => !Number.isFinite(value));
    return at / elementBytes[dtype] + index;
  }
  return -1;
}

/** Whether an element has all bits of its exponent set. */
function carries(block: Uint8Array, dtype: FloatDtype): boolean {
  const [mask, lowest] = exponents[dtype];
  const signs = (mask + lowest) & ~mask;
  const words = wordsOf(block);
  let carried = 0;
  for (let i = 0; i < words.length; i++) carried |= (words[i]! & mask) + lowest;
  return (carried & signs) !== 0;
}

/** A view if the bytes are aligned to 4, otherwise a copy padded with zeros. */
function wordsOf(block: Uint8Array): Int32Array {
  if (block.byteOffset % 4 === 0 && block.length % 4 === 0)
    return new Int32Array(block.buffer, block.byteOffset, block.length / 4);
  const copy = new Uint8Array(Math.ceil(block.length / 4) * 4);
  copy.set(block);
  return new Int32Array(copy.buffer);
}
