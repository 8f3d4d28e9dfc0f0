// Node flags for the sandbox process: it may only read its own code. (Node 24 cannot switch off the
// network, but programs cannot reach it: the interpreter is given no function for it.)

import { lstatSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language } from './protocol.ts';

/** Packages that a language's interpreter imports, directly or indirectly. */
const packagesOf: Record<Language, string[]> = {
  javascript: [
    '@jitl/quickjs-ffi-types',
    '@jitl/quickjs-wasmfile-release-sync',
    'quickjs-emscripten-core',
  ],
  python: ['pyodide'],
  typescript: ['typescript6'],
};

/** Flags that leave a process only the right to read the sandbox's code. */
export function isolationFlags(language: Language): string[] {
  return [
    '--permission',
    ...readablePaths(language).map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
  ];
}

function readablePaths(language: Language): string[] {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const folders = packageFolders()[language];
  const places = [here, ...folders].flatMap((from) => lookups(packagesOf[language], from));
  const links = places.flatMap(({ folder, place }) => [folder, place]).filter(isLink);
  const trees = [join(here, '../..'), ...folders, ...places.map(({ place }) => place)];
  const contents = trees.map((tree) => join(tree, '*'));
  // Links come first: Node 24 ignores a path that is added after a path below it.
  return [...new Set([...links, join(here, '../../../package.json'), ...contents])];
}

/** The packages' folders, with symbolic links resolved. */
function packageFolders(): Record<Language, string[]> {
  const ours = createRequire(import.meta.url);
  const variant = ours.resolve('@jitl/quickjs-wasmfile-release-sync');
  const core = ours.resolve('quickjs-emscripten-core');
  const types = createRequire(variant).resolve('@jitl/quickjs-ffi-types');
  return {
    javascript: [variant, core, types].map((main) => dirname(dirname(main))),
    python: [dirname(ours.resolve('pyodide'))],
    typescript: [dirname(dirname(ours.resolve('typescript6')))],
  };
}

/**
 * Every place where Node looks for one of the packages when a module in `from` imports it, and the
 * node_modules folder around it. Node fails at a place that it may not read, even if nothing is
 * there, and at a link that it may not follow.
 */
function lookups(packages: string[], from: string): { folder: string; place: string }[] {
  const folder = join(from, 'node_modules');
  const here = packages.map((name) => ({ folder, place: join(folder, name) }));
  const parent = dirname(from);
  return parent === from ? here : [...here, ...lookups(packages, parent)];
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
