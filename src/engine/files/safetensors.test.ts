import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRaw } from './safetensors.fixture.ts';
import { asFloats, readFloat32, readHeader, readTensors } from './safetensors.ts';
import { writeFloat32 } from './safetensors-writer.ts';

let folder: string;
let whole: Buffer;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-safetensors-'));
  const file = newFile();
  await writeFloat32(file, [
    ['a', [2, 2], Float32Array.of(1, 2, 3, 4)],
    ['b', [1], Float32Array.of(5)],
  ]);
  whole = await readFile(file);
});
afterAll(() => rm(folder, { recursive: true }));

const newFile = () => join(folder, `${count++}.safetensors`);
async function written(bytes: Uint8Array): Promise<string> {
  const file = newFile();
  await writeFile(file, bytes);
  return file;
}
async function withHeader(header: unknown, data: Uint8Array = Buffer.alloc(16)): Promise<string> {
  const file = newFile();
  await writeRaw(file, header, data);
  return file;
}
const tensor = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('reads', () => {
  it('what was written', async () => {
    const tensors = await readFloat32(await written(whole));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect([...tensors.get('a')!]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['BF16', [0x80, 0x3f, 0x00, 0xc0]],
    ['F16', [0x00, 0x3c, 0x00, 0xc0]],
  ])('%s, widened', async (dtype, bytes) => {
    const file = await withHeader({ a: tensor(dtype, [2], 0, 4) }, Buffer.from(bytes));
    expect([...(await readFloat32(file)).get('a')!]).toEqual([1, -2]);
  });

  it('empty tensors, and tensors that are not weights', async () => {
    const header = { none: tensor('F32', [0, 3], 0, 0), mask: tensor('BOOL', [16], 0, 16) };
    const entries = await readHeader(await withHeader(header));
    expect([...entries.keys()]).toEqual(['none', 'mask']);
  });

  it('a tensor beyond 2 GiB', async () => {
    const bytes = 2 ** 31 + 8;
    const header = {
      a: tensor('F32', [bytes / 4], 0, bytes),
      b: tensor('F32', [1], bytes, bytes + 4),
    };
    const file = await withHeader(header, new Uint8Array());
    const { offset } = await extend(file, bytes, Float32Array.of(7));
    const entry = (await readHeader(file)).get('b')!;
    expect(entry.offset).toBe(offset);
    const tensors = await readTensors(file, [['b', asFloats(file, 'b', entry)]]);
    expect([...tensors.get('b')!]).toEqual([7]);
  });
});

/** Append a hole of `bytes`, which takes no disk space, and then data. */
async function extend(path: string, bytes: number, data: Float32Array) {
  const file = await open(path, 'r+');
  try {
    const offset = (await file.stat()).size + bytes;
    await truncate(path, offset);
    await file.write(new Uint8Array(data.buffer), 0, data.byteLength, offset);
    return { offset };
  } finally {
    await file.close();
  }
}

describe('refuses, with the names of file and tensor,', () => {
  const refused = async (file: string, message: RegExp) => {
    const attempt = readHeader(file);
    await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(file);
  };
  it('a missing file', () => refused(join(folder, 'missing'), /no such file/));
  it('a folder', () => refused(folder, /a folder/));
  it('a file truncated in its data', async () =>
    refused(await written(whole.subarray(0, whole.length - 4)), /tensor b to end by byte/));
  it('a file truncated in its header', async () =>
    refused(await written(whole.subarray(0, 20)), /header/));
  it('an empty file', async () => refused(await written(new Uint8Array(0)), /header/));
  it('a header longer than the file, before allocating it', async () => {
    const lying = Buffer.from(whole);
    lying.writeBigUInt64LE(1n << 60n);
    await refused(await written(lying), /header of at most/);
  });
  it('a header that is not JSON', async () => refused(await withHeader('{"a":'), /JSON/));
  it('a header that is a list', async () => refused(await withHeader([]), /object of tensors/));

  const lies = {
    'an unknown dtype': [{ a: tensor('F8', [16], 0, 16) }, /tensor a of BOOL.*found F8;/],
    'a dtype that is a key of every object': [
      { a: tensor('constructor', [16], 0, 16) },
      /tensor a of BOOL.*found constructor/,
    ],
    'offsets that do not fit the shape': [
      { a: tensor('F32', [3, 2], 0, 16) },
      /24 bytes for tensor a/,
    ],
    'offsets beyond the file': [{ a: tensor('F32', [2, 2], 160, 176) }, /tensor a to end/],
    'a negative length': [{ a: tensor('F32', [2, 2], 16, 0) }, /tensor a/],
    'a negative size': [{ a: tensor('F32', [-2, -2], 0, 16) }, /tensor a/],
    'an offset beyond 2^53': [{ a: tensor('F32', [4], 2 ** 53, 2 ** 53 + 16) }, /tensor a/],
    'sizes whose product is beyond 2^53': [
      { a: tensor('F32', [2 ** 31, 2 ** 31, 0], 0, 0) },
      /tensor a of fewer than 2\^53 bits.*\[2147483648,2147483648,0\]/,
    ],
    'a part of a byte': [{ a: tensor('F4', [31], 0, 16) }, /tensor a .*whole bytes/],
    'a tensor that overlaps another': [
      { a: tensor('F32', [3], 0, 12), b: tensor('F32', [2], 8, 16) },
      /tensor b to begin at byte \d+, where tensor a ends, found byte \d+, inside it/,
    ],
    'two tensors in the same place': [
      { a: tensor('F32', [4], 0, 16), b: tensor('F32', [4], 0, 16) },
      /tensor b to begin .* inside it/,
    ],
    'a gap between tensors': [
      { a: tensor('F32', [1], 0, 4), b: tensor('F32', [2], 8, 16) },
      /tensor b to begin .* after a gap/,
    ],
    'bytes that belong to no tensor': [
      { a: tensor('F32', [2], 0, 8) },
      /the file to end at byte \d+, where tensor a ends, found \d+ bytes/,
    ],
  } as const;
  it.each(Object.entries(lies))('%s', async (_, [header, message]) =>
    refused(await withHeader(header), message),
  );
});

describe('refuses to read as float32, with the names of file and tensor,', () => {
  it.each(['I64', 'U8', 'F8_E4M3', 'F64'])('%s', async (dtype) => {
    const size = { I64: 2, F64: 2 }[dtype] ?? 16;
    const file = await withHeader({ a: tensor(dtype, [size], 0, 16) });
    await expect(readFloat32(file)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringMatching(
        `${file}: expected tensor a \\[${size}\\] of F32, F16, BF16, found ${dtype}`,
      ),
    });
  });

  it.each([
    ['F32', [0, 0, 0xc0, 0x7f], 'NaN'],
    ['F16', [0, 0xfc], '-Infinity'],
    ['BF16', [0x80, 0x7f], 'Infinity'],
  ])('a number of %s that is not finite', async (dtype, bytes, value) => {
    const size = bytes.length;
    const data = Buffer.concat([Buffer.alloc(3 * size), Buffer.from(bytes)]);
    const file = await withHeader({ a: tensor(dtype, [2, 2], 0, 4 * size) }, data);
    await expect(readFloat32(file)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(
        `${file}: expected finite numbers in tensor a [2,2] ${dtype}, found ${value} at element 3`,
      ),
    });
  });
});
