import { describe, expect, it } from 'vitest';
import { type FloatDtype, firstNonFinite, toFloat32 } from './tensor-bytes.ts';

const bytesOf = (array: Uint16Array | Float32Array) => new Uint8Array(array.buffer);

describe('toFloat32', () => {
  it('converts every float16 number exactly', () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const expected = {
      F16: new Float16Array(halves.buffer),
      BF16: Array.from(halves, (h) => new Float32Array(Uint32Array.of(h << 16).buffer)[0]!),
    };
    for (const dtype of ['F16', 'BF16'] as const)
      expect([...toFloat32(bytesOf(halves), dtype)]).toEqual([...expected[dtype]]);
  });

  it('reads bytes at an odd offset', () => {
    const moved = new Uint8Array(9);
    moved.set(bytesOf(Float32Array.of(1.5, -2)), 1);
    expect([...toFloat32(moved.subarray(1), 'F32')]).toEqual([1.5, -2]);
  });
});

describe('firstNonFinite', () => {
  it.each(['F16', 'BF16'] as const)('classifies every number of %s correctly', (dtype) => {
    for (let half = 0; half < 1 << 16; half++) {
      const bytes = bytesOf(Uint16Array.of(0, half));
      const finite = Number.isFinite(toFloat32(bytes, dtype)[1]);
      expect(firstNonFinite(bytes, dtype), half.toString(16)).toBe(finite ? -1 : 1);
    }
  });

  const edges = [0, -0, 1, -1, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45];
  it('accepts the extremes of float32', () => {
    expect(firstNonFinite(bytesOf(Float32Array.from(edges)), 'F32')).toBe(-1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'finds the first %d, wherever it lies',
    (bad) => {
      for (const at of [0, 1, 16_383, 16_384, 40_000, 49_999]) {
        const values = new Float32Array(50_000).fill(0.5);
        values.fill(bad, at, at + 2);
        expect(firstNonFinite(bytesOf(values), 'F32')).toBe(at);
      }
    },
  );

  it.each([
    ['F32', [0, 0, 0x80, 0x7f]],
    ['F16', [0, 0x7c]],
    ['BF16', [0x80, 0xff]],
  ] as [FloatDtype, number[]][])('finds %s at odd places and ends', (dtype, pattern) => {
    for (const start of [1, 2, 3]) {
      const bytes = new Uint8Array(start + 5 * pattern.length);
      bytes.set(pattern, start + 4 * pattern.length);
      expect(firstNonFinite(bytes.subarray(start), dtype)).toBe(4);
    }
  });
});
