// `anneal temporal …`: Temporal's own command line, pointed at the server of these runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findBinary } from '../workers/server/find-server.ts';
import { readRecord } from '../workers/server/server-record.ts';
import { dataDirOf, type Place } from './temporal.ts';

/** Pass the arguments through; without any, print where the binary is. */
export async function temporalCommand(args: readonly string[], place: Place): Promise<number> {
  const { path } = await findBinary({ temporalCli: place.temporalCli, log: () => {} });
  if (args.length === 0) {
    console.log(path);
    return 0;
  }
  const child = spawn(path, args, { stdio: 'inherit', env: environment(place.runsDir) });
  // Ctrl-C is the child's to answer.
  process.on('SIGINT', () => {});
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** The user's own TEMPORAL_ADDRESS, else the address of the embedded server. */
function environment(runsDir: string): NodeJS.ProcessEnv {
  const record = readRecord(dataDirOf(runsDir));
  const embedded = record ? { TEMPORAL_ADDRESS: `127.0.0.1:${record.port}` } : {};
  return { ...embedded, ...process.env };
}
