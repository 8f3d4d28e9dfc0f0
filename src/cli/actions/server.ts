// Prints the addresses of the Temporal server of a folder of runs.

import { dataDirOf, isServerUp, type Place, withLiveTemporal } from '../services/temporal.ts';
import { exitCodes } from '../terminal/exit.ts';
import { printJson, printLines } from '../terminal/output.ts';

/** @returns the exit code: 1 if no server is running. */
export async function printServer({
  json,
  ...place
}: Place & { json?: boolean | undefined }): Promise<number> {
  const data = dataDirOf(place.runsDir);
  if (!(await isServerUp(place.runsDir))) {
    if (json) printJson({ running: false, data });
    else
      printLines([
        `no server is running; \`anneal run\` and \`anneal dev\` start one (its data is in ${data})`,
      ]);
    return exitCodes.failed;
  }
  return withLiveTemporal(place, async ({ server }) => {
    const { address, namespace, uiUrl, cliPath } = server;
    if (json) printJson({ running: true, address, namespace, uiUrl, cliPath, data });
    else
      printLines([
        `server        ${address}, namespace ${namespace}`,
        `Web UI        ${uiUrl ?? 'unknown'}`,
        `temporal CLI  ${cliPath ?? 'unknown'}`,
        `data          ${data}`,
      ]);
    return exitCodes.ok;
  });
}
