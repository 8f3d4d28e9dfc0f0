import { expect, it } from 'vitest';
import { Fuel, metered } from './fuel.ts';

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: Record<string, (...args: number[]) => number> };
  RuntimeError: new () => Error;
};

const [i32, func, empty] = [0x7f, 0x60, 0x40];
const sized = (bytes: number[]) => [bytes.length, ...bytes];
const section = (id: number, items: number[][]) => [id, ...sized([items.length, ...items.flat()])];
const name = (text: string) => sized([...Buffer.from(text)]);

/** `count(n)` has a loop of n turns, `deep(n)` calls itself n times, `fill(n)` fills n bytes. */
const bodies = {
  count: [
    ...[0x03, empty, 0x20, 0, 0x04, empty, 0x20, 0, 0x41, 1, 0x6b, 0x21, 0, 0x0c, 1, 0x0b, 0x0b],
    ...[0x41, 7],
  ],
  deep: [...[0x20, 0, 0x04, i32, 0x20, 0, 0x41, 1, 0x6b, 0x10, 1, 0x05, 0x41, 7, 0x0b]],
  fill: [0x41, 0, 0x41, 5, 0x20, 0, 0xfc, 11, 0, 0x41, 0, 0x28, 2, 0],
};
const names = Object.keys(bodies);
const module = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [[func, 1, i32, 1, i32]]),
  ...section(3, [[0], [0], [0]]),
  ...section(5, [[0, 2]]),
  ...section(6, [[i32, 0, 0x41, 0, 0x0b]]),
  ...section(7, [[...name('memory'), 2, 0], ...names.map((it, at) => [...name(it), 0, at])]),
  ...section(
    10,
    Object.values(bodies).map((body) => sized([0, ...body, 0x0b])),
  ),
]);

function start() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(metered(module)));
  return { exports, fuel: new Fuel(exports) };
}
/** Fuel that a call takes. */
function price(method: string, n: number): number {
  const { exports, fuel } = start();
  fuel.left = 1e9;
  expect(exports[method]!(n)).toBe(method === 'fill' ? 0x05050505 : 7);
  return 1e9 - fuel.left;
}

it('computes what the module computes, without limit until one is set', () => {
  const { exports } = start();
  expect([exports.count!(1e6), exports.deep!(1000), exports.fill!(1e5)]).toEqual([
    7, 7, 0x05050505,
  ]);
});

it('takes the same for each turn of a loop and for each call', () => {
  for (const method of ['count', 'deep']) {
    const each = price(method, 101) - price(method, 100);
    expect(each).toBeGreaterThan(0);
    expect(price(method, 1100) - price(method, 100)).toBe(1000 * each);
  }
});

it('takes fuel for bytes', () => {
  expect(price('fill', 1024 + 64) - price('fill', 64)).toBe(1024 / 8);
});

it.each(['count', 'deep', 'fill'])('traps when %s has no fuel left, and from then on', (method) => {
  const { exports, fuel } = start();
  const n = method === 'fill' ? 100_000 : 1000;
  fuel.left = price(method, n);
  exports[method]!(n);
  expect([fuel.left, fuel.isSpent]).toEqual([0, false]);
  fuel.left = price(method, n) - 1;
  expect(() => exports[method]!(n)).toThrow(WebAssembly.RuntimeError);
  expect(fuel.isSpent).toBe(true);
  expect(() => exports.count!(0)).toThrow(WebAssembly.RuntimeError);
  fuel.refill();
  expect(exports.count!(0)).toBe(7);
});

it('refuses instructions that it does not know', () => {
  const at = module.lastIndexOf(0x28);
  const other = Uint8Array.from(module).fill(0xf0, at, at + 1);
  expect(() => metered(other)).toThrow('expected a known instruction of WebAssembly, found 240');
});
