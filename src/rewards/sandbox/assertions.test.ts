// Tests that assert, and runs of whole programs, in JavaScript.

import { afterAll, describe, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const sandbox = new Sandbox({ timeLimitMs: 50, memoryLimitMb: 16 });
afterAll(() => sandbox.close());

async function judge(source: string, ...tests: string[]): Promise<string[]> {
  const calls = tests.map((text) => ({ assert: text }));
  const [outcome] = await sandbox.run([{ source, entry: 'f', calls }]);
  return outcome!.map((it) => ('returned' in it ? it.returned : it.failed));
}
const add =
  'const f = (a, b = 1) => { if (a === null) throw new RangeError("no null"); return a + b; };';
const same = 'const f = (it) => it;';

it.each([
  [add, 'assert(f(1, 2) === 3)'],
  [add, 'assert.equal(f(1), "2")'],
  [add, 'assert.strictEqual(f(f(1), f(2, 3)), 7);'],
  [add, 'for (let n = 0; n < 5; n++) assert.ok(f(n) === n + 1);'],
  [add, 'assert.throws(() => f(null), RangeError)'],
  [add, 'assert.throws(() => f(null), /no null/)'],
  [add, 'assert.throws(() => f(null), { name: "RangeError", message: "no null" })'],
  [add, 'assert.doesNotThrow(() => f(1))'],
  [
    add,
    'const assert = require("node:assert");\nfunction test() { const candidate = f; assert.deepEqual(candidate(2, 3), 5); }\ntest();',
  ],
  [add, 'console.assert(f(1) === 2)'],
  [add, 'assert.notStrictEqual(f(1), 3); assert.match(f("a", "b"), /^ab$/)'],
  [
    same,
    'assert.deepStrictEqual(f([1, { a: [2n], b: null }, "x"]), [1, { a: [2n], b: null }, "x"])',
  ],
  [same, 'assert.deepStrictEqual(f(new Set([1, [2]])), new Set([[2], 1]))'],
  [same, 'assert.deepStrictEqual(f(new Map([[1, { a: 2 }]])), new Map([[1, { a: 2 }]]))'],
  [
    same,
    'assert.deepStrictEqual(f([undefined, NaN, -0, Infinity]), [undefined, NaN, -0, Infinity])',
  ],
  [same, 'assert.deepStrictEqual(f({ __proto__: null, ["__proto__"]: 1 })["__proto__"], 1)'],
  [same, 'assert.strictEqual(f(), undefined)'],
])('%s passes %s', async (source, test) => {
  expect(await judge(source, test)).toEqual(['true']);
});

it.each([
  [add, 'assert(f(1, 2) === 4)', /^AssertionError: expected what is true, found false/],
  [add, 'assert.strictEqual(f(1), "2")', /^AssertionError: expected "2", found 2/],
  [add, 'assert.strictEqual(f(1), 3, "one more")', /^AssertionError: one more/],
  [add, 'assert.throws(() => f(1))', /expected an error, found none/],
  [add, 'assert.throws(() => f(null), TypeError)', /^RangeError: no null/],
  [add, 'f(', /SyntaxError/],
  [same, 'assert.deepStrictEqual(f([1, 2]), [2, 1])', /expected \[2,1\], found \[1,2\]/],
  [same, 'assert.deepStrictEqual(f({ a: undefined }), {})', /AssertionError/],
  [same, 'assert.deepStrictEqual(f({}), [])', /AssertionError/],
  [same, 'assert.deepStrictEqual(f(0), -0)', /AssertionError/],
  [same, 'assert.deepStrictEqual(f(new Set([1])), new Set([2]))', /AssertionError/],
  [same, 'assert.deepStrictEqual(f(new Map([[1, 2]])), new Map([[1, 3]]))', /AssertionError/],
  [same, 'f(() => 1)', /a function, which is no JSON value/],
  [same, 'for (;;);', /time limit of the test/],
  ['const g = 1;', 'assert(true)', /ReferenceError/],
])('%s fails %s', async (source, test, words) => {
  expect(await judge(source, test)).toEqual([expect.stringMatching(words)]);
});

it('tests are independent of each other', async () => {
  const tests = [
    'const x = f(1); assert(x === 2)',
    'assert = () => {}; f(',
    'const x = f(2); assert(x === 2)',
  ];
  expect(await judge(add, ...tests)).toEqual([
    'true',
    expect.stringContaining('SyntaxError'),
    expect.stringContaining('AssertionError'),
  ]);
});

describe('nothing that a program does makes a test pass', () => {
  it.each([
    ['a patched Object.is', 'Object.is = () => true; const f = () => 0;'],
    [
      'an assert of its own',
      'globalThis.assert = Object.assign(() => {}, { strictEqual() {}, throws() {} }); const f = () => 0;',
    ],
    ['a patched console', 'console.assert = () => {}; const f = () => 0;'],
    [
      'an object that is equal by coercion',
      'const f = () => ({ valueOf: () => 3, toString: () => "3" });',
    ],
    [
      'a proxy',
      'const f = () => new Proxy({}, { get: () => 3, getPrototypeOf: () => Object.prototype });',
    ],
    ['a forged answer', 'const f = () => ({ returned: "3" });'],
    ['a forged packing', 'const f = () => ["number", "3"];'],
    ['a set that is not one', 'const f = () => Object.setPrototypeOf({}, Set.prototype);'],
    ['patched sets', 'Set.prototype.forEach = (call) => call(3); const f = () => new Set();'],
    ['patched JSON', 'JSON.stringify = () => "3"; JSON.parse = () => [3]; const f = () => 0;'],
    ['an error', 'const f = () => { throw { name: "AssertionError", message: "passed" }; };'],
    ['an endless answer', 'const f = () => { for (;;); };'],
    ['time used up beforehand', 'for (;;); const f = () => 3;'],
    ['a flood', 'const f = () => "3".repeat(1e6);'],
    ['a promise', 'const f = async () => 3;'],
    ['the test in a frame', 'const f = () => { try { null.x } catch (e) { return e.stack } };'],
  ])('%s', async (_, source) => {
    expect(await judge(source, 'assert.strictEqual(f(1, 2), 3)')).not.toEqual(['true']);
  });

  it.each([
    'const f = () => { for (;;); };',
    'const f = () => f;',
    'const f = () => "x".repeat(1e6);',
  ])('a call without an answer does not count as a thrown error: %s', async (source) => {
    const [outcome] = await judge(source, 'assert.throws(() => f(1)); try { f(2) } catch {}');
    expect(outcome).toMatch(/time limit|a function|more than/);
  });
});

describe('whole runs', () => {
  const talk = async (source: string, ...inputs: string[]) => {
    const calls = inputs.map((stdin) => ({ stdin }));
    const [outcome] = await sandbox.run([{ source, entry: '', calls }]);
    return outcome!.map((it) => ('returned' in it ? JSON.parse(it.returned) : it));
  };
  it.each([
    ['readline', 'console.log(Number(readline()) + Number(readline()));'],
    [
      'a file',
      'const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");\nconsole.log(lines.map(Number).reduce((a, b) => a + b));',
    ],
    [
      '/dev/stdin',
      'print(require("node:fs").readFileSync("/dev/stdin").trim().split("\\n").map(Number).reduce((a, b) => a + b));',
    ],
    [
      'main',
      'let sum = 0; async function main() { for (let line; (line = readline()) !== null; ) sum += await Number(line); console.log(sum); }\nmain();',
    ],
    [
      'lines as events',
      'const lines = [];\nrequire("readline").createInterface({ input: process.stdin }).on("line", (line) => lines.push(Number(line))).on("close", () => console.log(lines[0] + lines[1]));',
    ],
    [
      'lines as they come',
      'async function main() { const rl = require("node:readline").createInterface({ input: process.stdin }); let sum = 0; for await (const line of rl) sum += Number(line); console.log(sum); }\nmain();',
    ],
    [
      'questions',
      'const rl = require("readline").createInterface({ input: process.stdin });\nrl.question("a?", (a) => rl.question("b?", (b) => { console.log(Number(a) + Number(b)); rl.close(); }));',
    ],
    [
      'questions that are awaited',
      'async function main() { const rl = require("readline/promises").createInterface(process.stdin); const a = await rl.question("?"); await null; console.log(+a + +(await rl.question("?"))); }\nmain();',
    ],
    [
      'chunks of stdin',
      'let text = "";\nprocess.stdin.setEncoding("utf8").on("data", (chunk) => { text += chunk; }).on("end", () => { const [a, b] = text.split("\\n"); console.log(+a + +b); });',
    ],
    [
      'reads of stdin',
      'let text = "";\nprocess.stdin.on("readable", () => { for (let chunk; (chunk = process.stdin.read()) !== null; ) text += chunk; });\nprocess.stdin.on("end", () => console.log(text.split("\\n").slice(0, 2).reduce((a, b) => a + +b, 0)));',
    ],
    [
      'timers',
      'const numbers = [];\nconst timer = setInterval(() => { numbers.push(+readline()); if (numbers.length === 2) clearInterval(timer); }, 5);\nsetTimeout((words) => console.log(words + (numbers[0] + numbers[1])), 20, "");',
    ],
  ])('reads and writes by %s, every run afresh', async (_, source) => {
    expect(await talk(source, '1\n2\n', '3\r\n4')).toEqual(['3\n', '7\n']);
  });

  it('separates written values, lists and objects as JSON', async () => {
    expect(
      await talk('console.log("a", 1.5, null, undefined, [1, "b"], { c: true });', ''),
    ).toEqual(['a 1.5 null undefined [1,"b"] {"c":true}\n']);
  });

  it('runs jobs and timers in the order of their times', async () => {
    const source = `
      setTimeout(() => console.log('b 10'), 10);
      setTimeout(() => { console.log('a 1'); Promise.resolve().then(() => console.log('job of a')); }, 1);
      setImmediate(() => console.log('immediate'));
      queueMicrotask(() => console.log('job'));
      process.nextTick((word) => console.log(word), 'tick');
      setInterval(() => console.log('every 4'), 4).unref();
      clearTimeout(setTimeout(() => console.log('cleared'), 2));
      console.log('first');`;
    const order = ['first', 'job', 'tick', 'immediate', 'a 1', 'job of a', 'every 4', 'every 4'];
    expect(await talk(source, '')).toEqual([`${[...order, 'b 10'].join('\n')}\n`]);
  });

  it.each([
    ['throw new TypeError("no")', 'TypeError: no'],
    ['setTimeout(() => { throw new TypeError("late") }, 10)', 'TypeError: late'],
    ['setInterval(() => {}, 10)', 'time limit'],
    ['setTimeout(() => { for (;;); })', 'time limit'],
    ['setTimeout(() => { process.exit(3) })', 'exit code 3'],
    ['setImmediate(function again() { setImmediate(again) })', 'time limit'],
    ['for (;;) print("x")', 'time limit'],
    ['const next = () => { Promise.resolve().then(next); }; next()', 'time limit'],
    ['print("x".repeat(1e6))', 'more than'],
    ['require("fs").readFileSync("/etc/passwd")', 'ENOENT'],
    ['require("child_process")', 'Cannot find module'],
  ])('%s fails', async (source, words) => {
    expect(await talk(source, '')).toEqual([{ failed: expect.stringContaining(words) }]);
  });
});
