import { describe, expect, it } from 'vitest';
import { storedTypes } from './stored-types.ts';

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

it('bfloat16 is rounded to the nearest, ties to even', () => {
  const values = Float32Array.of(1, 1.00390625, 1.01171875, -1.003907, 3.3e38, 1e-40, 0);
  const stored = view(storedTypes.bf16.store(values));
  const words = Array.from(values, (_, i) => stored.getUint16(2 * i, true).toString(16));
  expect(words).toEqual(['3f80', '3f80', '3f82', 'bf81', '7f78', '1', '0']);
});

it('float16 is that of the language', () => {
  const values = Float32Array.of(1.1, -65504, 1e-7);
  const stored = view(storedTypes.f16.store(values));
  expect(Array.from(values, (_, i) => stored.getFloat16(2 * i, true))).toEqual(
    Array.from(values, (value) => Math.f16round(value)),
  );
});

describe('q8_0', () => {
  const dequantized = (values: Float32Array) => {
    const stored = view(storedTypes.q8_0.store(values));
    return Array.from(values, (_, i) => {
      const block = 34 * Math.floor(i / 32);
      return stored.getFloat16(block, true) * stored.getInt8(block + 2 + (i % 32));
    });
  };

  it('each value is within half a step of its block', () => {
    const values = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * i) * 10 ** (i >> 5));
    for (const [i, found] of dequantized(values).entries()) {
      const block = values.subarray(i - (i % 32), i - (i % 32) + 32);
      const step = Math.max(...block.map(Math.abs)) / 127;
      // The step itself is rounded to float16.
      expect(Math.abs(found - values[i]!)).toBeLessThan(step * (0.5 + 127 / 2048));
    }
  });

  it('zeros stay zeros, and halves are rounded away from zero', () => {
    expect(dequantized(new Float32Array(32))).toEqual(new Array(32).fill(0));
    const values = Float32Array.from({ length: 32 }, (_, i) => [127, 0.5, -0.5, 1.5, -2.5][i] ?? 0);
    expect(dequantized(values).slice(0, 5)).toEqual([127, 1, -1, 2, -3]);
  });
});
