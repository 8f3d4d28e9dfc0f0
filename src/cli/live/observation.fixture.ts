// An observation of a live run, for tests.

import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import type { Observation } from '../../client/run-state.ts';
import type { StageProgress } from '../../client/stage-progress.ts';
import type { RunStatus } from '../../workflows/messages.ts';

export const metrics = parseMetricsJsonl(
  '{"epoch":7,"phase":"start","eval/reward":0.2}\n{"epoch":8,"phase":"hot","reward":0.25,"best_of_n_reward":0.5,"eval/reward":0.3}',
  'test',
);
export const train = {
  stage: 'train',
  fraction: 0.25,
  amount: '3 of 12 steps',
  rate: null,
  note: null,
  failure: null,
};

export function observation(
  change: Partial<RunStatus> = {},
  stages: StageProgress[] = [train],
): Observation {
  const status: RunStatus = {
    run: 'two-phase',
    state: 'running',
    phase: 'hot',
    epoch: 9,
    firstEpoch: 8,
    lastEpoch: 15,
    epochWorkflowId: 'two-phase/hot/epoch-09',
    metrics,
    checkpoint: null,
    stopped: null,
    ...change,
  };
  return { status, stages, notice: null };
}
