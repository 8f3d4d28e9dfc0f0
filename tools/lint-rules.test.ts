// The linter keeps packages out of layers that should not know them, and refuses import circles. The
// tests lint a project of small files, one import each, with the real configuration. The layers
// themselves are tools/import-graph.ts.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url));
const configuration = fileURLToPath(new URL('../biome.json', import.meta.url));

const forbidden: [file: string, specifier: string][] = [
  ['src/engine/model/a.ts', 'onnxruntime-node'],
  ['src/engine/runtime/a.ts', '@temporalio/client'],
  ['src/records/a.ts', '@temporalio/common'],
  ['src/rl/a.ts', 'onnxruntime-node'],
  ['src/rewards/a.ts', '@temporalio/activity'],
  ['src/analysis/a.ts', 'node:fs'],
  ['src/workflows/a.ts', '../rl/batch.ts'],
  ['src/workflows/a.ts', '../activities/train.ts'],
  ['src/workflows/a.ts', '@temporalio/client'],
  ['src/workflows/a.ts', 'node:fs'],
  ['src/workflows/a.ts', 'zod'],
  ['src/cli/a.ts', 'onnxruntime-node'],
];
const allowed: [file: string, specifier: string][] = [
  ['src/engine/runtime/a.ts', 'onnxruntime-node'],
  ['src/workflows/a.ts', '../activities/task-queues.ts'],
  ['src/workflows/a.ts', '../config/schedule.ts'],
  ['src/workflows/a.ts', '../analysis/pages/run-report.ts'],
  ['src/workflows/a.ts', './messages.ts'],
  ['src/workflows/a.ts', '@temporalio/workflow'],
  ['src/activities/a.ts', '@temporalio/activity'],
];

const fileOf = (file: string, index: number) => file.replace('a.ts', `case-${index}.ts`);
let project: string;
/** `file: rule` for each of the linter's errors. */
let refused: string[];

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'anneal-lint-'));
  cpSync(configuration, join(project, 'biome.json'));
  [...forbidden, ...allowed].forEach(([file, specifier], index) => {
    write(fileOf(file, index), `export * from '${specifier}';\n`);
  });
  write('src/rl/cycle-a.ts', "import { b } from './cycle-b.ts';\n\nexport const a = () => b;\n");
  write('src/rl/cycle-b.ts', "import { a } from './cycle-a.ts';\n\nexport const b = () => a;\n");
  write('src/rl/types-a.ts', "import type { B } from './types-b.ts';\n\nexport type A = B[];\n");
  write('src/rl/types-b.ts', "import type { A } from './types-a.ts';\n\nexport type B = A[];\n");
  refused = lint();
});
afterAll(() => rmSync(project, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), text);
}

function lint(): string[] {
  const flags = ['--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none'];
  const args = [biome, 'lint', ...flags, 'src'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  const annotations = stdout.matchAll(/title=lint\/\w+\/(\w+),file=([^,]+)/g);
  return Array.from(
    annotations,
    ([, rule, file]) => `${file!.slice(file!.indexOf('src/'))}: ${rule}`,
  );
}

it.each(forbidden.map(([file, specifier], index) => ({ file, specifier, index })))(
  '$file may not import $specifier',
  ({ file, index }) => {
    expect(refused).toContain(`${fileOf(file, index)}: noRestrictedImports`);
  },
);

it.each(allowed.map(([file, specifier], index) => ({ file, specifier, index })))(
  '$file may import $specifier',
  ({ file, index }) => {
    const name = fileOf(file, forbidden.length + index);
    expect(refused).not.toContain(`${name}: noRestrictedImports`);
  },
);

it('files may not import each other in a circle', () => {
  expect(refused).toContain('src/rl/cycle-a.ts: noImportCycles');
  expect(refused).toContain('src/rl/types-a.ts: noImportCycles');
});
