// What `anneal run` says before it shows a run and when it leaves one. Pure.

import { firstEpochOf, lastEpochOf } from '../../config/schedule.ts';
import type { RunConfig } from '../../config/schema/run.ts';

/** `exploration, epochs 8–10, then refinement, epoch 11`. */
export function describePhases(config: RunConfig): string {
  return config.phases
    .map(({ name, epochs: [first, last] }) =>
      first === last ? `${name}, epoch ${first}` : `${name}, epochs ${first}–${last}`,
    )
    .join(', then ');
}

/** What starts, or which live run is shown instead. */
export function announce(
  kind: 'start' | 'attach',
  config: RunConfig,
  webPage: string | null,
): string[] {
  const page = webPage ? [`Web UI: ${webPage}`] : [];
  if (kind === 'attach')
    return [
      `run '${config.name}' is under way: attached to it as it was started; ` +
        'the file and flags given now are not applied (for another run: --name)',
      ...page,
    ];
  const count = lastEpochOf(config) - firstEpochOf(config) + 1;
  return [
    `run '${config.name}': ${count} epochs of ${config.model.path} (${describePhases(config)})`,
    ...page,
  ];
}

/** What Ctrl-C means to a run. */
export function farewell(run: string, ownWorker: boolean): string[] {
  const state = ownWorker
    ? `run '${run}' is kept as it is: nothing of it is lost, and it goes on when a worker is back.`
    : `run '${run}' goes on without you: its server and workers are elsewhere.`;
  return [
    '',
    state,
    '  go on, or watch again   the same command once more',
    `  where it stands         anneal status ${run}`,
    ...(ownWorker ? ['shutting down …'] : []),
  ];
}
