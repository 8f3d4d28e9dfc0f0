#!/usr/bin/env node
// The `anneal` command, for Node 18 or newer: runs the command line in src/ (checkout) or dist/
// (package), in this process if its Node is new enough, else in the pinned one.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from './pinned-node.mjs';
import { exitLike, runNode } from './run-node.mjs';

const source = new URL('../src/cli/main.ts', import.meta.url);
const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url);

function findNode() {
  try {
    return pinnedNode();
  } catch (error) {
    console.error(`anneal: ${error.message}`);
    process.exit(1);
  }
}

const node = findNode();
if (node === process.execPath) await import(main.href);
else {
  const args = [fileURLToPath(main), ...process.argv.slice(2)];
  exitLike(await runNode(node, args, { endWithParent: true }));
}
