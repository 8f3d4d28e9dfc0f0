// Starts a worker process for a command, unless workers already serve the task queues.

import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { makeDataDir } from '../../workers/server/server-record.ts';
import { type SupervisedWorker, superviseWorker } from '../../workers/supervisor.ts';
import type { QueueName } from '../../workers/worker.ts';
import { areQueuesServed } from './pollers.ts';
import { dataDirOf, type Place, type Temporal } from './temporal.ts';

/** `local`: start a worker; `none`: do not; `auto`: start one unless workers serve the queues. */
export type WorkersChoice = 'local' | 'none' | 'auto';

export interface WorkerPlace extends Place {
  /** What run files may name, in addition to the worker's own folders. */
  allowPath?: readonly string[] | undefined;
}

/** The started worker; null if none was needed. */
export async function openWorker(
  { workers, ...place }: WorkerPlace & { workers: WorkersChoice },
  temporal: Temporal,
  log: (line: string) => void,
): Promise<SupervisedWorker | null> {
  if (workers === 'none') return null;
  if (workers === 'auto' && (await areQueuesServed(temporal.client))) {
    log('using the workers that are already running');
    return null;
  }
  return superviseLogged(place, temporal, log);
}

/** A supervised worker that logs to a file next to the server's data. */
export async function superviseLogged(
  { runsDir, allowPath = [] }: WorkerPlace,
  { server }: Temporal,
  log: (line: string) => void,
  queues?: readonly QueueName[],
): Promise<SupervisedWorker> {
  const folder = dataDirOf(runsDir);
  await makeDataDir(folder);
  const output = createWriteStream(join(folder, 'worker.log'), { flags: 'a', mode: 0o600 });
  return superviseWorker({
    server,
    runsDir,
    allowPaths: allowPath,
    ...(queues ? { queues } : {}),
    log,
    output: (line) => void output.write(`${line}\n`),
  });
}
