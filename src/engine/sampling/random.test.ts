import { expect, it } from 'vitest';
import { permutation, uniforms } from './random.ts';

it('a stream depends only on its name', () => {
  const draw = (...parts: (string | number)[]) => Array.from({ length: 4 }, uniforms(...parts));
  expect(draw(1, 'train/8', 'p', 0)).toEqual(draw(1, 'train/8', 'p', 0));
  expect(draw(1, 'train/8', 'p', 0)).not.toEqual(draw(1, 'train/8', 'p', 1));
  // The parts of a name stay separate: (1, '23') is not (12, '3').
  expect(draw(1, '23')).not.toEqual(draw(12, '3'));
});

it('is uniform in [0, 1) and exact in float32', () => {
  const xs = Array.from({ length: 20000 }, uniforms('test'));
  expect(xs.every((x) => x >= 0 && x < 1 && Math.fround(x) === x)).toBe(true);
  const tenths = Array.from({ length: 10 }, (_, k) => xs.filter((x) => Math.floor(x * 10) === k));
  // 2000 expected in each, standard deviation 42.
  for (const tenth of tenths) expect(Math.abs(tenth.length - 2000)).toBeLessThan(250);
});

it('a permutation contains every number once', () => {
  const order = permutation(100, uniforms('order'));
  expect(order).not.toEqual([...order].sort((a, b) => a - b));
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(100).keys()]);
});
