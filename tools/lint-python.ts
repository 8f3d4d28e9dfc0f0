// `npm run lint` and `npm run format` for the Python files, by Ruff as WebAssembly, so that neither
// needs a Python. `node tools/lint-python.ts [--write]`

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs';
import { packageRoot } from '../src/config/paths.ts';

const options = {
  'target-version': 'py313',
  'line-length': 100,
  format: { 'quote-style': 'single' },
  lint: {
    // pycodestyle, Pyflakes, isort, naming, bugbear, comprehensions, pyupgrade, pie, return,
    // simplify, Ruff's own, docstrings.
    select: 'E F W I N B C4 UP PIE RET SIM RUF D'.split(' '),
    // Line length is the formatter's. Missing docstrings and `strict` for zip are left to authors,
    // as are short lambdas, dict() and characters such as `…`.
    ignore: 'B905 C408 D1 D203 D213 D401 E501 E731 N806 RUF001 RUF002 RUF003'.split(' '),
    isort: { 'known-first-party': ['_anneal'] },
  },
};

/** Findings in a source, one per line. Whether it is formatted is checked only if there are none. */
export function lintPython(path: string, source: string): string[] {
  const workspace = new Workspace(options, PositionEncoding.Utf16);
  const found: Diagnostic[] = workspace.check(source);
  const inOrder = found.sort((a, b) => a.start_location.row - b.start_location.row);
  const lines = inOrder.map(
    ({ start_location: { row, column }, code, message }) =>
      `${path}:${row}:${column} ${code ?? 'syntax'} ${message}`,
  );
  if (lines.length > 0) return lines;
  const isFormatted = workspace.format(source) === source;
  return isFormatted ? [] : [`${path}: not formatted; run \`npm run format\``];
}

/** The source as Ruff formats it. */
export function formatPython(source: string): string {
  return new Workspace(options, PositionEncoding.Utf16).format(source);
}

if (import.meta.main) {
  const paths = globSync('{bench,src,test,tools}/**/*.py', { cwd: packageRoot }).sort();
  const findings = paths.flatMap((path) => {
    const file = join(packageRoot, path);
    const source = readFileSync(file, 'utf8');
    if (!process.argv.includes('--write')) return lintPython(path, source);
    const formatted = formatPython(source);
    if (formatted !== source) writeFileSync(file, formatted);
    return lintPython(path, formatted);
  });
  for (const line of findings) console.error(line);
  console.log(`${paths.length} Python files, ${findings.length} findings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
