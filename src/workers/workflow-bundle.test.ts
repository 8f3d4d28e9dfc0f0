import { readFileSync, statSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { workflowBundle } from './workflow-bundle.ts';

let codePath: string;
beforeAll(async () => {
  ({ codePath } = await workflowBundle());
}, 120_000);

it('holds the workflows under the names that clients start them by', () => {
  const code = readFileSync(codePath, 'utf8');
  expect(code).toContain('trainingRun');
  expect(code).toContain('trainingEpoch');
});

it('holds no schema library: workflows take only types from the layers that check', () => {
  expect(readFileSync(codePath, 'utf8')).not.toContain('node_modules/zod/');
});

it('is made once for the same sources', async () => {
  const { mtimeMs } = statSync(codePath);
  expect((await workflowBundle()).codePath).toBe(codePath);
  expect(statSync(codePath).mtimeMs).toBe(mtimeMs);
});
