// Keeps node_modules at what package-lock.json says. It asks npm's own record of what it
// installed, so an install by any other means counts too.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Install with `npm ci` unless what is installed matches the lockfile in `root`.
 * @returns false where npm failed; it has then said why.
 */
export function ensureInstalled(root) {
  const missing = firstMismatch(root);
  if (!missing) return true;
  console.error(`anneal: installing dependencies (${missing}); about a minute`);
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const shell = process.platform === 'win32';
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    env,
    shell,
  });
  if (npm.status !== 0) console.error('anneal: npm ci failed; its messages are above');
  return npm.status === 0;
}

/** Why node_modules is not what the lockfile asks for, in words; null where it is. */
export function firstMismatch(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (!wanted) throw new Error(`expected ${join(root, 'package-lock.json')}, found none`);
  if (!installed) return 'nothing is installed yet';
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const found = installed[path];
    // Optional packages for other platforms are not there, and should not be.
    if (!found && (entry.optional || entry.devOptional)) continue;
    if (!found || !existsSync(join(root, path))) return `${path} is missing`;
    if (found.version !== entry.version || found.integrity !== entry.integrity)
      return `${path} is at ${found.version}, the lockfile asks for ${entry.version}`;
  }
  return null;
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : null;
}
