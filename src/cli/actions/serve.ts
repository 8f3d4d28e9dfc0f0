// Runs a worker until Ctrl-C, and a Temporal server if none is configured or running.

import { openRuns } from '../../client/run-state.ts';
import { allowCode } from '../../rewards/own/permission.ts';
import type { QueueName } from '../../workers/worker.ts';
import { dataDirOf, openTemporal } from '../services/temporal.ts';
import { superviseLogged, type WorkerPlace } from '../services/workers.ts';
import { aborted, interruptible } from '../terminal/interrupt.ts';
import { printLines } from '../terminal/output.ts';

const log = (line: string) => console.log(line);

/** @param queues task queues that the worker serves; all by default. */
export async function serve(
  { allowCode: allowsCode, ...place }: WorkerPlace & { allowCode?: true },
  queues?: readonly QueueName[],
): Promise<void> {
  if (allowsCode) allowCode();
  await interruptible(async (signal) => {
    const temporal = await openTemporal(place, log);
    const worker = await superviseLogged(place, temporal, log, queues);
    try {
      await Promise.race([worker.ready, aborted(signal)]);
      const { server, client } = temporal;
      printLines([
        `server   ${server.address}, namespace ${server.namespace}`,
        ...(server.uiUrl ? [`Web UI   ${server.uiUrl}`] : []),
        `worker   ${queues?.join(', ') ?? 'all queues'}; runs in ${place.runsDir}`,
        `log      ${dataDirOf(place.runsDir)}/worker.log`,
        ...(await openRuns(client)).map((run) => `resumes  ${run}`),
        'Press Ctrl-C to stop. Unfinished runs resume when this is started again.',
      ]);
      await aborted(signal);
      log('shutting down …');
    } finally {
      await worker.close();
      await temporal.close();
    }
  });
}
