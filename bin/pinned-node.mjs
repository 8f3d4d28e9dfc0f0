// Finds the Node that Anneal runs on: the running one if it is new enough, else the one that is an
// optional dependency of the package. Plain JavaScript, for Node 18 or newer.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The first major version that strips types without a flag and has all APIs in use. */
const leastMajor = 24;

/**
 * Path of a Node that can run Anneal.
 * @throws Error that says what was expected and what to do.
 */
export function pinnedNode() {
  if (Number(process.versions.node.split('.')[0]) >= leastMajor) return process.execPath;
  return carriedNode() ?? fail();
}

/** Path of the Node binary among the dependencies, or null. */
function carriedNode() {
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const binary = windows ? 'bin/node.exe' : 'bin/node';
  return folders.map((folder) => join(folder, name, binary)).find(existsSync) ?? null;
}

function fail() {
  throw new Error(
    `expected Node ${leastMajor} or newer, found ${process.version} and no pinned Node for ` +
      `${process.platform}-${process.arch} among the dependencies. Install again with optional ` +
      `dependencies (npm install --include=optional), or run on Node ${leastMajor}.`,
  );
}
