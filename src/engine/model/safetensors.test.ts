import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFloat32, readFloat32, readHeader } from './safetensors.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const whole = encodeFloat32([
  ['a', [2, 2], Float32Array.of(1, 2, 3, 4)],
  ['b', [1], Float32Array.of(5)],
]);
async function written(bytes: Uint8Array): Promise<string> {
  const file = join(folder, `${count++}.safetensors`);
  await writeFile(file, bytes);
  return file;
}
async function withHeader(header: unknown, data = Buffer.alloc(16)): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return written(Buffer.concat([length, json, data]));
}
const tensor = (changes: object) => ({
  a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...changes },
});

it('reads back what it wrote', async () => {
  const tensors = await readFloat32(await written(whole));
  expect([...tensors.keys()]).toEqual(['a', 'b']);
  expect([...tensors.get('a')!]).toEqual([1, 2, 3, 4]);
});

it('widens bfloat16', async () => {
  const file = await withHeader(
    { a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
    Buffer.from([0x80, 0x3f, 0x00, 0xc0]),
  );
  expect([...(await readFloat32(file)).get('a')!]).toEqual([1, -2]);
});

describe('refuses, naming file and tensor,', () => {
  const refused = async (file: string, message: RegExp) => {
    const attempt = readHeader(file);
    await expect(attempt).rejects.toMatchObject({ kind: 'InvalidModel' });
    await expect(attempt).rejects.toThrow(message);
    if (!file.includes('missing')) await expect(attempt).rejects.toThrow(file);
  };
  it('a missing file', () => refused(join(folder, 'missing'), /no such file/));
  it('a file cut in its data', async () =>
    refused(await written(whole.subarray(0, whole.length - 4)), /tensor b to end by byte/));
  it('a file cut in its header', async () =>
    refused(await written(whole.subarray(0, 20)), /header/));
  it('an empty file', async () => refused(await written(new Uint8Array(0)), /header/));
  it('a header longer than the file, before allocating it', async () => {
    const lying = Buffer.from(whole);
    lying.writeBigUInt64LE(1n << 60n);
    await refused(await written(lying), /header of at most/);
  });
  it('a header that is no JSON', async () => refused(await withHeader('{"a":'), /JSON/));
  it('an unknown dtype', async () => refused(await withHeader(tensor({ dtype: 'F8' })), /F8/));
  it('offsets that do not fit the shape', async () =>
    refused(await withHeader(tensor({ shape: [3, 2] })), /24 bytes for tensor a/));
  it('offsets beyond the file', async () =>
    refused(await withHeader(tensor({ data_offsets: [160, 176] })), /tensor a to end/));
  it('a negative length', async () =>
    refused(await withHeader(tensor({ data_offsets: [16, 0] })), /tensor a/));
});
