// The Python that runs before a state of the interpreter is kept: prepare.py, given the modules of
// the package `_anneal`. They read programs' texts and run tests that assert, in states of the
// interpreter that no program has touched.

import { readFileSync } from 'node:fs';

/** Modules of `_anneal`, each after those that it imports. */
export const annealModules = [
  'syntax',
  'names',
  'structure',
  'expressions',
  'documentation',
  'cost',
  'review',
  'printing',
  'assertions',
] as const;

/** The source to run. */
export function setupSource(): string {
  const sources = annealModules.map((name) => [name, read(`_anneal/${name}.py`)]);
  // JSON's strings and arrays are Python's too.
  return `${read('prepare.py')}\nprepare(${JSON.stringify(sources)})\n`;
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
