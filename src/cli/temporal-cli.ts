// `anneal temporal …`: Temporal's own command line, pointed at the server of these runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findBinary } from '../workers/server/find-server.ts';
import { configuredServer } from '../workers/server/local-sources.ts';
import { readRecord } from '../workers/server/server-record.ts';
import { dataDirOf, type Place } from './temporal.ts';

/** Pass the arguments through; without any, print where the binary is. */
export async function temporalCommand(args: readonly string[], place: Place): Promise<number> {
  const { path } = await findBinary({ temporalCli: place.temporalCli, log: () => {} });
  if (args.length === 0) {
    console.log(path);
    return 0;
  }
  const env = await environment(place.runsDir);
  const child = spawn(path, args, { stdio: 'inherit', env });
  // Ctrl-C is the child's to answer.
  process.on('SIGINT', () => {});
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** The user's own Temporal configuration, else the address of the embedded server. */
async function environment(runsDir: string): Promise<NodeJS.ProcessEnv> {
  const configured = await configuredServer.find({ env: process.env, log: () => {} });
  const record = readRecord(dataDirOf(runsDir));
  if (configured.kind === 'address' || !record) return process.env;
  return { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${record.port}` };
}
