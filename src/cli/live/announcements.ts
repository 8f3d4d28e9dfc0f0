// The lines that `anneal run` prints before it shows a run and when it is interrupted.

import { describePhases, firstEpochOf, lastEpochOf } from '../../config/schedule.ts';
import type { RunConfig } from '../../config/schema/run.ts';

/** The run that starts, or the live run that is shown instead. */
export function announce(
  kind: 'start' | 'attach',
  config: RunConfig,
  webPage: string | null,
): string[] {
  const page = webPage ? [`Web UI: ${webPage}`] : [];
  if (kind === 'attach')
    return [
      `run '${config.name}' is in progress: attached to it. ` +
        'The run file and flags given now have no effect; to start another run, pass --name.',
      ...page,
    ];
  const count = lastEpochOf(config) - firstEpochOf(config) + 1;
  return [
    `run '${config.name}': ${count} epochs of ${config.model.path} (${describePhases(config)})`,
    ...page,
  ];
}

/** What happens to the run after Ctrl-C. */
export function farewell(run: string, ownWorker: boolean): string[] {
  const state = ownWorker
    ? `run '${run}' is interrupted. Nothing is lost: it resumes when a worker is back.`
    : `run '${run}' continues: its workers run elsewhere.`;
  return [
    '',
    state,
    '  to resume or watch it   repeat the command',
    `  to see how far it is    anneal status ${run}`,
    ...(ownWorker ? ['shutting down …'] : []),
  ];
}
