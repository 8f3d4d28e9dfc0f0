// Starts a run on the server.

import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { taskQueues } from '../activities/task-queues.ts';
import { describePhases } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';
import { checkRunSize } from '../config/size.ts';
import { AnnealError } from '../errors.ts';
import { shortSummary } from '../workflows/metadata.ts';
import { searchKeys } from '../workflows/search-attributes.ts';

/**
 * Start the workflow of a run; its id is the configuration's name.
 * @throws AnnealError InvalidConfig if a run of that name was just started, or the settings are more
 * than the server takes.
 */
export async function startRun(client: Client, config: RunConfig): Promise<void> {
  checkRunSize(config, `run '${config.name}'`);
  try {
    await client.workflow.start('trainingRun', {
      workflowId: config.name,
      taskQueue: taskQueues.workflows,
      args: [config],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: shortSummary(describePhases(config)),
      typedSearchAttributes: [{ key: searchKeys.phase, value: 'start' }],
    });
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    const message = `run '${config.name}': expected to start it, but it was started a moment ago. Repeat the command to attach to it.`;
    throw new AnnealError('InvalidConfig', message, { cause });
  }
}
