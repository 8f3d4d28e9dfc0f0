import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readFloat32, readHeader } from './safetensors.ts';
import { writeFloat32 } from './safetensors-writer.ts';

const policy = fileURLToPath(new URL('../../../models/policy/model.safetensors', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-writer-'));
});
afterEach(() => rm(folder, { recursive: true }));
const file = () => join(folder, 'out.safetensors');

it('writes the length, the header in the given order padded to eight bytes, then the numbers', async () => {
  await writeFloat32(file(), [
    ['b', [1, 2], Float32Array.of(1, -2)],
    ['a', [], Float32Array.of(0.5)],
  ]);
  const header =
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}';
  const bytes = await readFile(file());
  const length = Number(bytes.readBigUInt64LE());
  expect(length % 8).toBe(0);
  expect(bytes.toString('latin1', 8, 8 + length)).toBe(header.padEnd(length));
  expect([...bytes.subarray(8 + length)]).toEqual([
    ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
    ...[0, 0, 0, 0x3f],
  ]);
});

it('reproduces the embedded policy, from arrays and from functions called in turn', async () => {
  const tensors = await readFloat32(policy);
  const entries = [...(await readHeader(policy))];
  const expected = await readFile(policy);
  await writeFloat32(
    file(),
    entries.map(([name, { shape }]) => [name, shape, tensors.get(name)!]),
  );
  expect(expected.equals(await readFile(file()))).toBe(true);
  const asked: string[] = [];
  await writeFloat32(
    file(),
    entries.map(([name, { shape }]) => [
      name,
      shape,
      async () => {
        asked.push(name);
        return tensors.get(name)!;
      },
    ]),
  );
  expect(asked).toEqual(entries.map(([name]) => name));
  expect(expected.equals(await readFile(file()))).toBe(true);
});

it('writes part of a larger array', async () => {
  await writeFloat32(file(), [['a', [2], Float32Array.of(1, 2, 3, 4).subarray(1, 3)]]);
  expect([...(await readFloat32(file())).get('a')!]).toEqual([2, 3]);
});

it.each([
  [
    'numbers that do not fit the shape',
    Float32Array.of(1),
    'InvalidModel',
    'expected 2 numbers, found 1',
  ],
  [
    'a number that is not finite',
    Float32Array.of(1, Number.NaN),
    'NonFinite',
    'found NaN at element 1',
  ],
])('leaves no file for %s, and names the tensor', async (_, data, kind, message) => {
  const tensors = [
    ['first', [1], Float32Array.of(1)],
    ['second', [2], data],
  ] as const;
  await expect(writeFloat32(file(), tensors)).rejects.toMatchObject({
    kind,
    message: expect.stringContaining(`${file()}: tensor second [2]: expected`),
  });
  await expect(writeFloat32(file(), tensors)).rejects.toThrow(message);
  expect(await readdir(folder)).toEqual([]);
});
