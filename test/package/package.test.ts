// The package that `npm publish` would upload: its files and entry points, checked by publint and
// attw, and used by a project outside the checkout (examples/own-worker) on a real server.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/config/paths.ts';
import { execute, outsideProject, type PackedFile, pack } from './packed.ts';

const node = process.execPath;
const inModules = (path: string) => join(packageRoot, 'node_modules', path);

let folder: string;
let tarball: string;
let files: PackedFile[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-pack-'));
  ({ tarball, files } = await pack(folder));
});
afterAll(() => rm(folder, { recursive: true }));

test('has the command, documents, models and run files, and neither tests nor sources', () => {
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'bin/anneal.mjs',
      'config/two-phase.yaml',
      'data/train.jsonl',
      'dist/cli/main.js',
      'dist/exports/index.d.ts',
      'dist/workflow-bundle.js',
      'docs/architecture.md',
      'examples/python-prompts.jsonl',
      'models/policy/model.safetensors',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
    ]),
  );
  expect(paths.filter((path) => /\.test\.|\.fixture\.|^(src|test|bench)\//.test(path))).toEqual([]);
});

test('passes publint and attw', async () => {
  await execute(node, [inModules('publint/src/cli.js'), '--strict', tarball], folder);
  const attw = inModules('@arethetypeswrong/cli/dist/index.js');
  await execute(node, [attw, '--profile', 'esm-only', tarball], folder);
});

test('is used by a project outside, with its own activity and reward', async () => {
  const project = await outsideProject(tarball);
  try {
    await execute(node, [inModules('typescript/bin/tsc'), '--noEmit'], project);
    const printed = await execute(node, ['main.ts'], project);
    expect(printed).toMatch(/own-run ended with a held-out reward of 0\.\d{3}/);
    expect(await readFile(join(project, 'own-run.txt'), 'utf8')).toMatch(/^own-run ended with/);
    const [start] = (await readFile(join(project, 'runs/own-run/metrics.jsonl'), 'utf8')).split(
      '\n',
    );
    expect(JSON.parse(start!)['eval/rewards/brevity/mean']).toBeGreaterThan(0);
  } finally {
    await rm(dirname(project), { recursive: true });
  }
});
