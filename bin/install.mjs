// Keeps node_modules in line with package-lock.json. It reads npm's own record of installed
// packages, so an install by other means counts too.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Install with `npm ci` unless the installed packages match the lockfile in `root`.
 * @returns false if npm failed; it has then printed why.
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

/** How node_modules differs from the lockfile, in words; null if it matches. */
export function firstMismatch(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (!wanted) throw new Error(`expected ${join(root, 'package-lock.json')}, found none`);
  if (!installed) return 'nothing is installed yet';
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const found = installed[path];
    // Optional packages for other platforms should be missing.
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
