// The Python that runs before the interpreter's state is saved: prepare.py, with the modules of the
// package `_anneal`. Those read programs' texts and run tests that assert, in states that no program
// has touched.

import { readFileSync } from 'node:fs';

/** Modules of `_anneal`, each after the modules that it imports. */
export const annealModules = [
  'syntax',
  'names',
  'structure',
  'expressions',
  'documentation',
  'scopes',
  'called',
  'cost',
  'entry',
  'review',
  'renaming',
  'printing',
  'assertions',
] as const;

/** The source to run. */
export function setupSource(): string {
  const sources = annealModules.map((name) => [name, read(`_anneal/${name}.py`)]);
  // JSON strings and arrays are valid Python.
  return `${read('prepare.py')}\nprepare(${JSON.stringify(sources)})\n`;
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
