import { readFileSync, statSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { workflowBundle } from './workflow-bundle.ts';

let codePath: string;
beforeAll(async () => {
  ({ codePath } = await workflowBundle());
}, 120_000);

it('contains the workflows under the names that clients start', () => {
  const code = readFileSync(codePath, 'utf8');
  expect(code).toContain('trainingRun');
  expect(code).toContain('trainingEpoch');
});

it('contains no schema library: workflows import only types from layers that validate', () => {
  expect(readFileSync(codePath, 'utf8')).not.toContain('node_modules/zod/');
});

it('is built once for the same sources', async () => {
  const { mtimeMs } = statSync(codePath);
  expect((await workflowBundle()).codePath).toBe(codePath);
  expect(statSync(codePath).mtimeMs).toBe(mtimeMs);
});
