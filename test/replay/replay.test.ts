// Histories recorded from real runs replay on the current workflows: a worker of this version can
// take over a run that one of those versions began.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';

const folder = fileURLToPath(new URL('./histories', import.meta.url));
const recorded = globSync('*/*.json', { cwd: folder }).sort();

type Bundle = { codePath: string } | { code: string };

function replay(bundle: Bundle, name: string): Promise<void> {
  const history = historyFromJSON(JSON.parse(readFileSync(join(folder, name), 'utf8')));
  // Epochs are named after their run, so the run needs its own name.
  const id = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name;
  return Worker.runReplayHistory({ workflowBundle: bundle }, history, id);
}

let current: Bundle;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  current = await workflowBundle();
}, 120_000);

it('has histories of a run, an epoch and the training of a reward model', () => {
  const kinds = recorded.map((name) => name.split('/').at(-1)!.split('-')[0]);
  expect(new Set(kinds)).toEqual(new Set(['run', 'epoch', 'reward']));
});

it.each(recorded)('%s replays', (name) => replay(current, name));

describe('a changed workflow', () => {
  let changed: Bundle;
  beforeAll(async () => {
    const workflowsPath = fileURLToPath(new URL('./changed-workflows.ts', import.meta.url));
    changed = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  }, 120_000);

  it.each(recorded)('does not replay %s', async (name) => {
    await expect(replay(changed, name)).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});
