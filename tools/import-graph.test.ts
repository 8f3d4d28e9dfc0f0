import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { currentPage, importsOf, mapPage, upwardImports } from './import-graph.ts';

it('docs/architecture.md shows the map (if not, run: node tools/import-graph.ts --write)', () => {
  expect(readFileSync(mapPage, 'utf8')).toBe(currentPage());
});

it.each([
  ['config/a.ts', '../engine/graph/graph.ts'],
  ['process/a.ts', '../config/schema/run.ts'],
  ['config/a.ts', '../records/metrics.ts'],
  ['records/a.ts', '../engine/graph/graph.ts'],
  ['engine/model/a.ts', '../../rl/batch.ts'],
  ['engine/model/a.ts', '../files/weights.ts'],
  ['rl/a.ts', '../rewards/reward.ts'],
  ['analysis/metrics/a.ts', '../../rl/batch.ts'],
  ['artifacts/a.ts', '../workers/worker.ts'],
  ['activities/a.ts', '../workflows/messages.ts'],
  ['workers/a.ts', '../cli/main.ts'],
  ['errors.ts', './process/serve.ts'],
])('%s may not import %s, not even its types', (file, specifier) => {
  const source = `import type { A } from '${specifier}';\nexport type B = A;\n`;
  expect(upwardImports(importsOfOnly(file, source))).toHaveLength(1);
});

it.each([
  ['engine/a.ts', '../config/schema/model.ts'],
  ['engine/files/a.ts', '../model/config.ts'],
  ['rl/a.ts', '../engine/graph/graph.ts'],
  ['rl/policy/a.ts', '../batch.ts'],
  ['workflows/a.ts', '../activities/task-queues.ts'],
  ['cli/a.ts', '../workers/worker.ts'],
])('%s may import %s', (file, specifier) => {
  expect(upwardImports(importsOfOnly(file, `export * from '${specifier}';\n`))).toEqual([]);
});

/** The imports of a source tree of one file. */
function importsOfOnly(file: string, source: string) {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-imports-'));
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), source);
  const imports = importsOf(folder);
  rmSync(folder, { recursive: true });
  expect(imports).toHaveLength(1);
  return imports;
}
