import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isolationFlags } from './isolation.ts';
import type { Language } from './protocol.ts';
import { Sandbox } from './sandbox.ts';

/** The code of the error that `expression` throws in an isolated process, or 'allowed'. */
function attempt(expression: string, language: Language = 'javascript'): string {
  const code = `try { ${expression}; console.log('allowed') } catch (error) { console.log(error.code) }`;
  const { stdout, stderr } = spawnSync(process.execPath, [...isolationFlags(language), '-e', code]);
  return stdout.toString().trim() || stderr.toString();
}
const read = (path: string) =>
  `require('fs').readFileSync(${JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))})`;

it.each([
  ['its own code', read('./sandbox-process.ts')],
  ['the interpreter', read('../../../node_modules/quickjs-emscripten-core/package.json')],
])('may read %s', (_, expression) => {
  expect(attempt(expression)).toBe('allowed');
});

it.each([
  ['read prompts and their tests', read('../../../data/train.jsonl')],
  ['read other packages', read('../../../node_modules/zod/package.json')],
  ['read the system', "require('fs').readFileSync('/etc/passwd')"],
  ['write', "require('fs').writeFileSync('/tmp/anneal-sandbox-was-here', '')"],
  ['start processes', "require('child_process').spawnSync('true')"],
  ['start threads', "new (require('worker_threads').Worker)('', { eval: true })"],
  ['load native code', "process.dlopen({ exports: {} }, '/tmp/none.node')"],
])('may not %s', (_, expression) => {
  expect(attempt(expression)).toMatch(/^ERR_(ACCESS|DLOPEN)_(DENIED|DISABLED)$/);
});

it("each language's process may read only its own interpreter", () => {
  const pyodide = read('../../../node_modules/pyodide/package.json');
  const quickjs = read('../../../node_modules/quickjs-emscripten-core/package.json');
  expect(attempt(pyodide, 'python')).toBe('allowed');
  expect(attempt(quickjs, 'python')).toBe('ERR_ACCESS_DENIED');
  const compiler = read('../../../node_modules/typescript6/package.json');
  expect(attempt(pyodide)).toBe('ERR_ACCESS_DENIED');
  expect(attempt(compiler)).toBe('ERR_ACCESS_DENIED');
  expect(attempt(compiler, 'typescript')).toBe('allowed');
  expect(attempt(pyodide, 'typescript')).toBe('ERR_ACCESS_DENIED');
});

it('may not compile code from strings', () => {
  expect(attempt("new Function('return 1')()")).not.toBe('allowed');
});

it.runIf(process.platform === 'linux').each(['javascript', 'python', 'typescript'] as const)(
  "%s's process starts with no environment of its parent",
  async (language) => {
    process.env.SOME_API_KEY = 'planted';
    const sandbox = new Sandbox({ timeLimitMs: 1000, memoryLimitMb: 256 }, language);
    try {
      const entry = language === 'typescript' ? 'strip' : 'f';
      await sandbox.run([{ source: '', entry, calls: [] }]);
      const variables = readFileSync(`/proc/${sandbox.pid}/environ`, 'utf8').split('\0');
      const ofTheChannel = /^(NODE_CHANNEL_|_=|$)/;
      expect(variables.filter((variable) => !ofTheChannel.test(variable))).toEqual(['TZ=UTC']);
    } finally {
      delete process.env.SOME_API_KEY;
      await sandbox.close();
    }
  },
);
