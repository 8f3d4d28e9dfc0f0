// `anneal dev`, `anneal worker`, `anneal server`: what runs until Ctrl-C, and where it is.

import type { QueueName } from '../../workers/worker.ts';
import { openRuns } from '../live/observe.ts';
import {
  dataDirOf,
  isServerUp,
  openTemporal,
  type Place,
  withLiveTemporal,
} from '../services/temporal.ts';
import { superviseLogged } from '../services/workers.ts';
import { exitCodes } from '../terminal/exit.ts';
import { aborted, interruptible } from '../terminal/interrupt.ts';
import { printJson, printLines } from '../terminal/output.ts';

const log = (line: string) => console.log(line);

/** A worker, and the server where none is named or up, until Ctrl-C. */
export async function serveCommand(
  place: Place,
  queues: readonly QueueName[] | undefined,
): Promise<number> {
  return interruptible(async (signal) => {
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
        ...(await openRuns(client)).map((run) => `going on ${run}`),
        'Ctrl-C ends this; unfinished runs go on when it is started again.',
      ]);
      await aborted(signal);
      log('shutting down …');
      return exitCodes.ok;
    } finally {
      await worker.close();
      await temporal.close();
    }
  });
}

/** Say where the server of these runs is. */
export async function serverCommand({
  json,
  ...place
}: Place & { json?: boolean | undefined }): Promise<number> {
  const data = dataDirOf(place.runsDir);
  if (!(await isServerUp(place.runsDir))) {
    if (json) printJson({ running: false, data });
    else
      printLines([
        `no server is running; anneal run and anneal dev start one, its data in ${data}`,
      ]);
    return exitCodes.failed;
  }
  return withLiveTemporal(place, async ({ server }) => {
    const { address, namespace, uiUrl, cliPath } = server;
    if (json) printJson({ running: true, address, namespace, uiUrl, cliPath, data });
    else
      printLines([
        `server        ${address}, namespace ${namespace}`,
        `Web UI        ${uiUrl ?? 'not known'}`,
        `temporal CLI  ${cliPath ?? 'not known'}`,
        `data          ${data}`,
      ]);
    return exitCodes.ok;
  });
}
