// Programs that need nothing outside of themselves print the same here and in Node.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { asScript } from '../../programs/module-syntax.ts';
import { sharedSandbox } from '../sandbox.ts';

const sandbox = sharedSandbox({ timeLimitMs: 1000, memoryLimitMb: 64 }, 'javascript');

const folder = await mkdtemp(join(tmpdir(), 'anneal-node-'));
afterAll(() => rm(folder, { recursive: true }));

const scripts: Record<string, string> = {
  'stdin by lines': `
    const readline = require('readline');
    const rl = readline.createInterface({ input: process.stdin, terminal: false });
    const lines = [];
    rl.on('line', (line) => lines.push(line.trim()));
    rl.once('close', () => { for (const line of lines) console.log(line.split('').reverse().join('')); });`,
  'a prompt': `
    const rl = require('node:readline').createInterface({ input: process.stdin, output: process.stdout });
    rl.question('Name? ', (name) => { console.log('Hello, ' + name); rl.close(); });
    rl.on('close', () => process.exit(0));`,
  'a whole file': `
    const fs = require('fs');
    if (require.main === module) {
      const [count, ...words] = fs.readFileSync(0).toString().split(/\\s+/);
      process.stdout.write(count + words.join('') + '\\n');
    }`,
  'an async main': `
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    async function main() {
      const chunks = [];
      for await (const chunk of process.stdin.setEncoding('utf8')) chunks.push(chunk);
      await Promise.all([sleep(20).then(() => console.log('late')), sleep(1).then(() => console.log('soon'))]);
      console.log(chunks.join('').length);
    }
    main().catch((error) => { console.error(error); process.exit(1); });`,
  'tests of its own': `
    const assert = require('assert');
    const { deepStrictEqual } = require('node:assert');
    function pairs(list) { return list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b])); }
    deepStrictEqual(pairs([1, 2, 3]), [[1, 2], [1, 3], [2, 3]]);
    assert.throws(() => assert.equal(1, 2));
    console.assert(pairs([]).length === 0);
    console.log('ok');`,
  'deep copies': `
    const list = [1, { a: new Map([['k', new Set([1])]]), d: new Date(5) }];
    list.push(list);
    const copy = structuredClone(list);
    console.log(copy !== list, copy[2] === copy, copy[1].a.get('k').has(1), copy[1].d.getTime());
    try { structuredClone({ f() {} }); } catch { console.log('refused'); }`,
  events: `
    const EventEmitter = require('events');
    class Counter extends EventEmitter {
      #count = 0;
      add() { this.emit('added', ++this.#count); return this; }
    }
    const counter = new Counter();
    counter.on('added', (count) => console.log('on', count)).once('added', () => console.log('once'));
    counter.add().add();
    console.log(counter.listenerCount('added'), counter.emit('other'));
    try { counter.emit('error', new Error('thrown')); } catch ({ message }) { console.log(message); }`,
  'timers in order': `
    let left = 3;
    const timer = setInterval(() => {
      console.log('left', --left);
      if (left > 0) return;
      clearInterval(timer);
      setTimeout((a, b) => console.log(a + b), 5, 'after ', 'all');
      clearTimeout(setTimeout(() => console.log('cleared'), 1));
      setImmediate(() => console.log('at once'));
    }, 10);
    setTimeout(() => console.log('never'), 5000).unref();
    Promise.resolve().then(() => console.log('job'));
    queueMicrotask(() => console.log('another'));
    console.log(typeof performance.now(), performance.now() >= 0);`,
  'exports of a library': `
    const double = (n) => n * 2;
    module.exports = { double };
    module.exports.default = double;
    exports.unused = 1;
    console.log(typeof module.exports.double);`,
};

const modules: Record<string, string> = {
  'an ES module': `
    import { readFileSync } from 'node:fs';
    import assert, { strictEqual } from 'node:assert';
    import * as events from 'events';
    export const double = (n) => n * 2;
    export default function triple(n) { return n * 3; }
    strictEqual(double(2), 4);
    assert(triple(1) === 3);
    console.log(readFileSync(0, 'utf8').trim().length, typeof events.EventEmitter);
    export { double as twice };`,
  'a default value': `
    export default [1, 2].map((n) => n + 1);
    console.log('ran');`,
};

const input = '3\nabc\n déf \r\nlast';

describe.each([
  ['cjs', scripts],
  ['mjs', modules],
])('%s', (extension, programs) => {
  it.each(Object.entries(programs))('%s', async (_, source) => {
    const file = join(folder, `program.${extension}`);
    await writeFile(file, source);
    const node = spawnSync(process.execPath, [file], { input });
    expect(node.stderr.toString()).toBe('');
    const calls = [{ stdin: input }];
    const [outcome] = await sandbox.run([{ source: asScript(source), entry: '', calls }]);
    expect(outcome).toEqual([{ returned: JSON.stringify(node.stdout.toString()) }]);
  });
});
