import { realpathSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { packageRoot, resolveInput } from './paths.ts';

const start = process.cwd();
const elsewhere = realpathSync(await mkdtemp(join(tmpdir(), 'anneal-paths-')));
afterEach(() => process.chdir(start));

test('a path that is not in the current directory is found in the package', () => {
  process.chdir(elsewhere);
  expect(resolveInput('config/two-phase.yaml')).toBe(join(packageRoot, 'config/two-phase.yaml'));
});

test('the current directory comes first', async () => {
  process.chdir(elsewhere);
  await writeFile('package.json', '{}');
  expect(resolveInput('package.json')).toBe(join(elsewhere, 'package.json'));
});

test('a missing path is an error that names both places', () => {
  process.chdir(elsewhere);
  const message = () => resolveInput('models/none', 'model.path');
  expect(message).toThrow(/^model\.path: expected 'models\/none' to exist/);
  expect(message).toThrow(join(elsewhere, 'models/none'));
  expect(message).toThrow(join(packageRoot, 'models/none'));
});
