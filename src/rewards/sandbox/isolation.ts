// Node's flags for the sandbox process: it may read its own code, and nothing else. (Node 24 has no
// switch for the network; programs have no way to it, for the interpreter is given no functions.)

import { lstatSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language } from './protocol.ts';

/** What a language's interpreter imports, itself or through one of the others. */
const packagesOf: Record<Language, string[]> = {
  javascript: [
    '@jitl/quickjs-ffi-types',
    '@jitl/quickjs-wasmfile-release-sync',
    'quickjs-emscripten-core',
  ],
  python: ['pyodide'],
  typescript: ['typescript6'],
};

/** Flags that take every right from a process but that of reading the sandbox's code. */
export function isolationFlags(language: Language): string[] {
  return [
    '--permission',
    ...readablePaths(language).map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
    // More than QuickJS allows itself, so that its own limit is the one that is met.
    '--stack-size=4000',
  ];
}

function readablePaths(language: Language): string[] {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const folders = packageFolders()[language];
  const places = [here, ...folders].flatMap((from) => lookups(packagesOf[language], from));
  const links = places.flatMap(({ folder, place }) => [folder, place]).filter(isLink);
  const trees = [join(here, '../..'), ...folders, ...places.map(({ place }) => place)];
  const contents = trees.map((tree) => join(tree, '*'));
  // Links come first: Node 24 overlooks a path that is added after one below it.
  return [...new Set([...links, join(here, '../../../package.json'), ...contents])];
}

/** Where the packages lie, symbolic links followed. */
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
 * folder of packages around it. Node gives up at a place that it may not look at, even where there
 * is nothing, and at a link that it may not follow.
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
