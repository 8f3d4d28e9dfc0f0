import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { firstMismatch } from './install.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'anneal-install-'));
  const locked = { '': {}, 'node_modules/a': a, 'node_modules/other-system': optional };
  write('package-lock.json', { packages: locked });
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': a } });
  write('node_modules/a/package.json', {});
});
afterEach(() => rmSync(root, { recursive: true }));

const a = { version: '1.0.0', integrity: 'sha512-a' };
const optional = { version: '2.0.0', integrity: 'sha512-b', optional: true };

function write(path: string, content: object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(content));
}

it('accepts the packages in the lockfile, without optional ones for other systems', () => {
  expect(firstMismatch(root)).toBeNull();
});

it('notices if nothing is installed', () => {
  rmSync(join(root, 'node_modules'), { recursive: true });
  expect(firstMismatch(root)).toBe('nothing is installed yet');
});

it('notices another version', () => {
  write('package-lock.json', { packages: { 'node_modules/a': { ...a, version: '1.0.1' } } });
  expect(firstMismatch(root)).toBe('node_modules/a is at 1.0.0, the lockfile asks for 1.0.1');
});

it('notices other contents under the same version', () => {
  write('package-lock.json', { packages: { 'node_modules/a': { ...a, integrity: 'sha512-c' } } });
  expect(firstMismatch(root)).toContain('node_modules/a');
});

it('notices a package that is in the lockfile but not installed', () => {
  write('package-lock.json', { packages: { 'node_modules/a': a, 'node_modules/b': a } });
  expect(firstMismatch(root)).toBe('node_modules/b is missing');
});

it('notices a folder that was removed by hand', () => {
  rmSync(join(root, 'node_modules/a'), { recursive: true });
  expect(firstMismatch(root)).toBe('node_modules/a is missing');
});

it('says what is wrong if there is no lockfile', () => {
  rmSync(join(root, 'package-lock.json'));
  expect(() => firstMismatch(root)).toThrow(/package-lock\.json, found none/);
});
