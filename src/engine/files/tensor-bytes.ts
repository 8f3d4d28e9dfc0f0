// The bytes of tensors: read from files of any size, widened to float32, looked through for
// numbers that are not finite. Where in a file a tensor lies is safetensors.ts's affair.

import { type FileHandle, open } from 'node:fs/promises';
import { AnnealError } from '../../errors.ts';

/** Data types that hold weights, with the name that the Hugging Face world gives to each. */
export const floatDtypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;
export type FloatDtype = keyof typeof floatDtypes;

const elementBytes: Record<FloatDtype, number> = { F32: 4, F16: 2, BF16: 2 };

/** Most bytes of one read or write: the system's calls end at 2 GiB. */
export const partBytes = 1 << 30;

/** `length` bytes from `position` on. @throws AnnealError InvalidModel where the file ends before */
export async function readBytes(
  file: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
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

/** A whole file's bytes (fs.readFile ends at 2 GiB). @throws AnnealError InvalidModel */
export async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    return await readBytes(file, path, 0, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** Little-endian floats as float32: a view of float32 where it is aligned, otherwise a copy. */
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

/** Bits of the exponent, and the lowest of them, in a word of four bytes: one float or two. */
const exponents: Record<FloatDtype, readonly [mask: number, lowest: number]> = {
  F32: [0x7f800000, 0x00800000],
  F16: [0x7c007c00, 0x04000400],
  BF16: [0x7f807f80, 0x00800080],
};

/**
 * Index of the first element that is NaN or infinite, -1 where there is none. Such a number has
 * every bit of its exponent set, so that adding the lowest of them carries into the sign's place:
 * half a second for a gigabyte.
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

/** Whether some element's exponent is full. */

function carries(block: Uint8Array, dtype: FloatDtype): boolean {
  const [mask, lowest] = exponents[dtype];
  const signs = (mask + lowest) & ~mask;
  const words = wordsOf(block);
  let carried = 0;
  for (let i = 0; i < words.length; i++) carried |= (words[i]! & mask) + lowest;
  return (carried & signs) !== 0;
}

/** A view where the bytes lie at a multiple of four, otherwise a copy, filled up with zeros. */
function wordsOf(block: Uint8Array): Int32Array {
  if (block.byteOffset % 4 === 0 && block.length % 4 === 0)
    return new Int32Array(block.buffer, block.byteOffset, block.length / 4);
  const copy = new Uint8Array(Math.ceil(block.length / 4) * 4);
  copy.set(block);
  return new Int32Array(copy.buffer);
}
