// Attacks on the sandbox: programs that try to forge results, read secrets, exceed limits or harm
// their neighbours.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { rubricSchema } from '../../config/schema/rewards/rubric.ts';
import { program } from './program.fixture.ts';
import type { ProgramOutcome } from './protocol.ts';
import { Sandbox } from './sandbox.ts';

const sandbox = new Sandbox({ timeLimitMs: 100, memoryLimitMb: 16 });
afterAll(() => sandbox.close());

async function run(source: string, ...calls: unknown[][]): Promise<ProgramOutcome> {
  const [outcome] = await sandbox.run([program(source, ...calls)]);
  return outcome!;
}
const returns = (...values: unknown[]) =>
  values.map((value) => ({ returned: JSON.stringify(value) }));
const fails = (words: string) => [{ failed: expect.stringContaining(words) }];

describe('honest programs', () => {
  it.each([
    ['a declaration', 'function f(a, b) { return a + b; }'],
    ['an arrow', 'const f = (a, b) => a + b;'],
    [
      'a helper beside the entry',
      'const add = (a, b) => a + b; function f(a, b) { return add(a, b); }',
    ],
    ['a console that writes nowhere', 'function f(a, b) { console.log(a); return a + b; }'],
    [
      'other methods of the console',
      'function f(a, b) { console.group("f"); console.table([a]); console.time(); console.error(b); console.groupEnd(); return a + b; }',
    ],
    [
      'what Node has of a process',
      'function f(a, b) { process.stdout.write("a"); return a + b + process.argv.length - 2 + Object.keys(process.env).length; }',
    ],
    ['exports by name', 'function f(a, b) { return a + b; }\nmodule.exports = { f };'],
    ['an export of one', 'exports.f = (a, b) => a + b;'],
    ['an export of the module', 'module.exports.f = (a, b) => a + b;'],
    ['the only export', 'module.exports = (a, b) => a + b;'],
    [
      'a guard of the main module',
      'function f(a, b) { return a + b; }\nif (require.main === module) process.exit(f(1, 1));',
    ],
    ['the result of a call', 'const adding = (c) => (a, b) => a + b + c; const f = adding(0);'],
  ])('%s', async (_, source) => {
    expect(await run(source, [1, 2], [-1, 1])).toEqual(returns(3, 0));
  });

  it.each([
    ['nested values', '({ b: [1, null], a: { c: true } })', { b: [1, null], a: { c: true } }],
    ['any text', String.raw`'a"\u0000\ud800\n'`, 'a"\u0000\ud800\n'],
    ['a key named like a prototype', '({ ["__proto__"]: 1 })', JSON.parse('{"__proto__": 1}')],
    ['an object without prototype', 'Object.assign(Object.create(null), { a: 1 })', { a: 1 }],
    ['large and small numbers', '[1e300, 5e-324, 0.1 + 0.2]', [1e300, 5e-324, 0.30000000000000004]],
  ])('returns %s as JSON', async (_, source, value) => {
    expect(await run(`const f = () => ${source}`)).toEqual(returns(value));
  });

  it.each([
    [
      'the console',
      'console.log("a"); console.error("b"); console.info({ c: 1 });',
      'a\n{"c":1}\n',
    ],
    ['standard output', 'process.stdout.write("a"); process.stderr.write("b");', 'a'],
    ['an end', 'console.log("a"); process.exit(); console.log("b");', 'a\n'],
    ['an end that is caught', 'try { process.exit(0); } catch {} console.log("b");', ''],
    [
      'an end in a promise',
      'Promise.resolve().then(() => { console.log("a"); process.exit(0); });',
      'a\n',
    ],
    ['a main guard', 'if (require.main === module) console.log("a");', 'a\n'],
    ['exports', 'console.log("a"); module.exports = { a: 1 };', 'a\n'],
  ])('runs a whole program with %s', async (_, source, output) => {
    const [outcome] = await sandbox.run([{ source, entry: '', calls: [{ stdin: '' }] }]);
    expect(outcome).toEqual([{ returned: JSON.stringify(output) }]);
  });

  it.each(['process.exit(3);', 'process.exitCode = 3; process.exit();'])(
    'fails a whole program that exits with a code: %s',
    async (source) => {
      const [outcome] = await sandbox.run([{ source, entry: '', calls: [{ stdin: '' }] }]);
      expect(outcome).toEqual([{ failed: 'exit code 3' }]);
    },
  );

  it.each([
    ['a function', 'const f = (n) => (n === 0 ? 0 : 1 + f(n - 1));'],
    [
      'a function with callbacks',
      'const f = (n) => (n === 0 ? 0 : 1 + [n - 1].map((it) => f(it))[0]);',
    ],
    [
      'a method',
      'const o = { f(n) { return n === 0 ? 0 : 1 + this.f(n - 1); } }; const f = (n) => o.f(n);',
    ],
  ])('lets %s call itself 5,000 times and more', async (_, source) => {
    expect(await run(source, [5000])).toEqual(returns(5000));
  });

  it('lets a function call itself 20,000 times, and a test too', async () => {
    const source = 'const f = (n) => (n === 0 ? 0 : 1 + f(n - 1));';
    expect(await run(source, [20_000])).toEqual(returns(20_000));
    const assert =
      'const g = (n) => (n === 0 ? 0 : 1 + g(n - 1)); assert.equal(g(10_000), f(10_000));';
    expect(await sandbox.run([{ source, entry: 'f', calls: [{ assert }] }])).toEqual([
      returns(true),
    ]);
  });

  it('leaves out undefined properties and writes -0 as 0', async () => {
    expect(await run('const f = () => ({ a: undefined, b: -0 })')).toEqual(returns({ b: 0 }));
  });

  it.each([
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['undefined', 'undefined'],
    ['undefined in a list', '[undefined]'],
    ['a hole', '[, 1]'],
    ['a function', 'f'],
    ['a symbol', 'Symbol("a")'],
    ['a big integer', '1n'],
    ['a promise', 'Promise.resolve(1)'],
    ['a Map', 'new Map()'],
    ['a Date', 'new Date(0)'],
    ['a boxed number', 'new Number(1)'],
  ])('has no JSON for %s', async (_, value) => {
    expect(await run(`function f() { return ${value}; }`)).toEqual(fails('no JSON value'));
  });

  it('random numbers and the time are the same in every run', async () => {
    const source =
      'const f = () => [Math.random(), Math.random(), Date.now(), String(new Date()), performance.now()]';
    const other = new Sandbox({ timeLimitMs: 50, memoryLimitMb: 16 });
    expect(await other.run([program(source)])).toEqual([await run(source)]);
    await other.close();
  });
});

it('runs within the largest memory limit of a run file', async () => {
  const largest = 500;
  const { memory_limit_mb: limit } = rubricSchema.shape;
  expect(limit.safeParse(largest + 1).success).toBe(false);
  const memoryLimitMb = limit.parse(largest);
  const large = new Sandbox({ timeLimitMs: 50, memoryLimitMb });
  expect(await large.run([program('const f = () => 1')])).toEqual([[{ returned: '1' }]]);
  await large.close();
});

describe('forged results', () => {
  // Each of these returns 1, whatever it changes.
  it.each([
    ['JSON patched', 'JSON.stringify = () => "7"; JSON.parse = () => [7];'],
    ['JSON replaced', 'globalThis.JSON = { stringify: () => "7", parse: () => [7] };'],
    ['Reflect patched', 'Reflect.apply = () => 7; globalThis.Reflect = null;'],
    ['Array.isArray patched', 'Array.isArray = () => true;'],
    ['Number patched', 'Number.isFinite = () => false; Number.prototype.toString = () => "7";'],
    ['Number.prototype.valueOf patched', 'Number.prototype.valueOf = () => 7;'],
    [
      'toJSON on every prototype',
      'for (const C of [Object, Array, Number, String]) C.prototype.toJSON = () => 7;',
    ],
    [
      'Array.prototype patched',
      'Array.prototype.map = Array.prototype.push = Array.prototype.join = () => 7;',
    ],
    [
      'an index setter on Array.prototype',
      'Object.defineProperty(Array.prototype, 0, { set() { throw 7; }, get() { return 7; } });',
    ],
    ['Symbol.iterator patched', 'Array.prototype[Symbol.iterator] = function* () { yield 7; };'],
    ['Function.prototype patched', 'Function.prototype.call = Function.prototype.apply = () => 7;'],
    [
      'Object.prototype polluted',
      'Object.prototype.failed = "no"; Object.prototype.returned = "7";',
    ],
    ['Object functions patched', 'Object.keys = () => ["7"]; Object.getPrototypeOf = () => null;'],
  ])('%s', async (_, attack) => {
    expect(await run(`${attack} function f(a) { return a; }`, [1])).toEqual(returns(1));
  });

  it('a list with a patched prototype is read element by element', async () => {
    const attack = 'Array.prototype.join = () => "7"; Array.prototype.toString = () => "7";';
    expect(await run(`${attack} const f = () => [1, [2]];`)).toEqual(returns([1, [2]]));
  });

  it('text is quoted, patched or not', async () => {
    const attack = 'String.prototype.toJSON = String.prototype.toString = () => "7";';
    expect(await run(`${attack} const f = () => '1,"a":2';`)).toEqual(returns('1,"a":2'));
  });

  it('an object with toJSON is not a JSON value', async () => {
    expect(await run('const f = () => ({ toJSON: () => 7 });')).toEqual(fails('no JSON value'));
  });

  it('a proxy is read once, element by element', async () => {
    const source = 'const f = () => new Proxy([0], { get: (t, k) => (k === "length" ? 1 : 7) });';
    expect(await run(source)).toEqual(returns([7]));
  });

  it('a proxy that claims endless length runs into the limits', async () => {
    const source =
      'const f = () => new Proxy([], { get: (t, k) => (k === "length" ? Infinity : 7) });';
    const [outcome] = await run(source);
    expect(outcome).toHaveProperty('failed');
  });

  it.each([
    ['a getter that throws', '({ get a() { throw new Error("got"); } })', 'Error: got'],
    [
      'a proxy that throws',
      'new Proxy({}, { ownKeys() { throw new Error("got"); } })',
      'Error: got',
    ],
    [
      'an error whose message throws',
      '(() => { throw { get message() { throw 1; } }; })()',
      'threw',
    ],
    ['a thrown symbol', '(() => { throw Symbol("a"); })()', 'threw a symbol'],
  ])('%s fails its call', async (_, value, words) => {
    expect(await run(`function f() { return ${value}; }`)).toEqual(fails(words));
  });

  it('each call gets fresh arguments, whatever was done to earlier ones', async () => {
    const source = 'function f(list) { list.push(list.length); return list; }';
    expect(await run(source, [[]], [[]], [[5]])).toEqual(returns([0], [0], [5, 1]));
  });

  it('no expected value can be found from inside', async () => {
    const source = `function f(...args) {
      const seen = [];
      for (const key of Object.getOwnPropertyNames(globalThis)) seen.push(key);
      try { seen.push(String(f.caller), String(f.arguments)); } catch {}
      return seen.concat(args, new Error().stack).join().includes('secret');
    }`;
    const prompt = { calls: [['a']], expected: 'secret' };
    expect(await run(source, ...prompt.calls)).toEqual(returns(false));
  });
});

describe('escapes', () => {
  it.each([
    'std',
    'os',
    'fetch',
    'WebAssembly',
    'Worker',
    'Deno',
    'Buffer',
    'XMLHttpRequest',
    'bjson',
    'scriptArgs',
    '__dirname',
  ])('%s is not there', async (name) => {
    expect(await run(`const f = () => typeof ${name};`)).toEqual(returns('undefined'));
  });

  it.each([
    'Object.keys(process.env).length + process.argv.length - 2',
    '["binding", "pid", "mainModule", "kill", "memoryUsage"].filter((key) => key in process).length',
    '["net", "node:os", "child_process"].filter((name) => { try { return require(name); } catch { return false; } }).length',
  ])('process and require give nothing: %s', async (expression) => {
    expect(await run(`const f = () => ${expression};`)).toEqual(returns(0));
  });

  it('the constructor of functions stays inside', async () => {
    const source = 'const f = () => f.constructor.constructor("return typeof process.binding")();';
    expect(await run(source)).toEqual(returns('undefined'));
  });

  it('an import gives nothing', async () => {
    expect(await run('import fs from "fs"; function f() { return 1; }')).toEqual(fails('Syntax'));
    const source = 'let got = 0; import("fs").then(() => { got = 1; }); const f = () => got;';
    expect(await run(source, [], [])).toEqual(returns(0, 0));
  });

  it('globals of one program do not reach the next', async () => {
    await run('globalThis.left = Object.prototype.left = 1; const f = () => 1;');
    expect(await run('const f = () => [typeof left, ({}).left === undefined];')).toEqual(
      returns(['undefined', true]),
    );
  });
});

describe('limits', () => {
  it.each([
    ['an endless loop', 'function f() { for (;;); }', 'time limit'],
    ['an endless loop at the top', 'for (;;); function f() {}', 'time limit'],
    [
      'an endless loop that catches',
      'function f() { for (;;) try { for (;;); } catch {} }',
      'time limit',
    ],
    ['an endless loop in a getter', 'const f = () => ({ get a() { for (;;); } });', 'time limit'],
    ['endless recursion', 'function f() { return f() + 1; }', 'stack overflow'],
    [
      'recursion through a proxy',
      'const p = new Proxy({}, { get: () => p.a }); const f = () => p.a;',
      'stack overflow',
    ],
    [
      'a cycle in the result',
      'const f = () => { const a = []; a[0] = a; return a; };',
      'stack overflow',
    ],
    [
      'a memory bomb',
      'function f() { const a = []; for (;;) a.push(new Array(1e4).fill(1)); }',
      'out of memory',
    ],
    ['a text bomb', 'function f() { let s = "a"; for (;;) s += s; }', ''],
    ['a buffer bomb', 'const f = () => new ArrayBuffer(1e9);', 'out of memory'],
    [
      'a regular-expression bomb',
      'const f = () => /^(a+)+$/.test("a".repeat(40) + "b");',
      'time limit',
    ],
    ['a big-integer bomb', 'const f = () => { let x = 7n; for (;;) x *= x; };', ''],
    ['a flood of output', 'const f = () => "x".repeat(1e6);', 'more than'],
    [
      'deep nesting of the source',
      `const f = () => ${'['.repeat(20_000)}${']'.repeat(20_000)};`,
      '',
    ],
  ])('%s ends', async (_, source, words) => {
    const [outcome] = await run(source);
    expect(outcome).toEqual({ failed: expect.stringContaining(words) });
  });

  const call = (count: number) => `"a".repeat(${count}).indexOf("a".repeat(${count / 2}) + "b")`;
  it('one long call of the interpreter is ended too, and costs no process', async () => {
    await run('const f = () => 1;');
    const { pid } = sandbox;
    const source = `function f(n) { if (n > 1) ${call(2e6)}; return n; }`;
    const failed = { failed: 'time limit' };
    expect(await run(source, [0], [2], [1])).toEqual([{ returned: '0' }, failed, failed]);
    expect(await run('const f = () => 1;')).toEqual(returns(1));
    expect(sandbox.pid).toBe(pid);
  });

  it('one long call counts the same in every run', async () => {
    for (let round = 0; round < 3; round++) {
      expect(await run(`const f = () => ${call(1e4)};`)).toEqual(returns(-1));
      expect(await run(`const f = () => ${call(2e5)};`)).toEqual(fails('time limit'));
    }
  });

  it('the calls before an endless one keep their results', async () => {
    const source = 'function f(n) { while (n > 1); return n; }';
    expect(await run(source, [0], [2], [1])).toEqual([
      { returned: '0' },
      { failed: 'time limit' },
      { failed: 'time limit' },
    ]);
  });

  it('the time limit counts work, not the clock: the same verdict in every run', async () => {
    const source =
      'function f(n) { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum; }';
    for (let round = 0; round < 3; round++) {
      expect(await run(source, [400_000])).toEqual(returns(79_999_800_000));
      expect(await run(source, [1_100_000])).toEqual(fails('time limit'));
    }
  });
});

it.runIf(process.platform === 'linux')('the process may do nothing and knows nothing', async () => {
  await run('const f = () => 1;');
  const flags = readFileSync(`/proc/${sandbox.pid}/cmdline`, 'utf8').split('\0');
  expect(flags).toContain('--permission');
  expect(flags.filter((flag) => flag.startsWith('--allow-') && !flag.includes('fs-read'))).toEqual(
    [],
  );
  const names = readFileSync(`/proc/${sandbox.pid}/environ`, 'utf8').split('\0');
  expect(
    names
      .map((entry) => entry.split('=')[0])
      .filter((name) => name && !name.startsWith('NODE_CHANNEL')),
  ).toEqual(['TZ']);
});

it.runIf(process.platform === 'linux')(
  'a process that is stuck in a program ends soon after its parent was killed',
  async () => {
    const source = 'const f = () => "a".repeat(2e6).indexOf("a".repeat(1e6) + "b");';
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `
    import { Sandbox } from ${JSON.stringify(new URL('./sandbox.ts', import.meta.url).href)};
    const sandbox = new Sandbox({ timeLimitMs: 2000, memoryLimitMb: 16 });
    const stuck = ${JSON.stringify({ source, entry: 'f', calls: ['[]'] })};
    sandbox.run([{ ...stuck, source: 'const f = () => 1;' }, stuck], {
      onProgress: () => setTimeout(() => console.log(sandbox.pid), 300),
    });`,
    ]);
    const [pid] = (await once(parent.stdout, 'data')).map(Number);
    parent.kill('SIGKILL');
    const alive = () => existsSync(`/proc/${pid}`);
    expect(alive()).toBe(true);
    await vi.waitUntil(() => !alive(), { timeout: 60_000, interval: 100 });
  },
);

describe('neighbours', () => {
  const good = program('const f = (a) => a * 2;', [21]);
  const stuck = program('const f = () => "a".repeat(2e6).indexOf("a".repeat(1e6) + "b");');
  const broken = program(`const f = () => eval('1+('.repeat(1e5));`);

  it('programs that break their realm or the interpreter lose only themselves', async () => {
    const outcomes = await sandbox.run([good, stuck, good, broken, good]);
    expect(outcomes).toEqual([
      returns(42),
      fails('time limit'),
      returns(42),
      [{ failed: expect.any(String) }],
      returns(42),
    ]);
  });

  it('a sandbox process killed from outside costs no program its score', async () => {
    const progress: number[] = [];
    const slow = program('function f() { let n = 0; while (n < 5e5) n++; return n; }');
    const programs = Array.from({ length: 40 }, () => slow);
    const outcomes = await sandbox.run(programs, {
      onProgress: (done) => {
        progress.push(done);
        if (done === 5 || done === 20) process.kill(sandbox.pid!, 'SIGKILL');
      },
    });
    expect(outcomes).toEqual(programs.map(() => returns(500_000)));
    expect(progress).toEqual(programs.map((_, index) => index + 1));
  });

  it('runs that overlap each get their own outcomes', async () => {
    const runs = [1, 2, 3].map((n) => sandbox.run([program(`const f = () => ${n};`)]));
    expect(await Promise.all(runs)).toEqual([[returns(1)], [returns(2)], [returns(3)]]);
  });

  it('an abort ends the run with its reason, and the next one works', async () => {
    const abort = new AbortController();
    const endless = program('function f() { for (;;); }');
    const running = sandbox.run([good, ...Array.from({ length: 500 }, () => endless)], {
      signal: abort.signal,
      onProgress: (done) => done === 1 && abort.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    expect(await sandbox.run([good])).toEqual([returns(42)]);
  });
});
