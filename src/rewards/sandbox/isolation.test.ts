import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isolationFlags } from './isolation.ts';
import type { Language } from './protocol.ts';

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
