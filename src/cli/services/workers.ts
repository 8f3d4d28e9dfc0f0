// The workers of a command: one process of its own that serves every queue, where none does yet.

import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type SupervisedWorker, superviseWorker } from '../../workers/supervisor.ts';
import type { QueueName } from '../../workers/worker.ts';
import { areQueuesServed } from './pollers.ts';
import { dataDirOf, type Place, type Temporal } from './temporal.ts';

/** `local`: always an own worker; `none`: never; `auto`: unless some serve the queues already. */
export type WorkersChoice = 'local' | 'none' | 'auto';

/** A worker for the run where the choice asks for one, else null. */
export async function openWorker(
  { workers, ...place }: Place & { workers: WorkersChoice },
  temporal: Temporal,
  log: (line: string) => void,
): Promise<SupervisedWorker | null> {
  if (workers === 'none') return null;
  if (workers === 'auto' && (await areQueuesServed(temporal.client))) {
    log('workers serve the task queues already; starting none');
    return null;
  }
  return superviseLogged(place, temporal, log);
}

/** A supervised worker whose own output goes to a file beside the server's data. */
export async function superviseLogged(
  { runsDir }: Place,
  { server }: Temporal,
  log: (line: string) => void,
  queues?: readonly QueueName[],
): Promise<SupervisedWorker> {
  const folder = dataDirOf(runsDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const output = createWriteStream(join(folder, 'worker.log'), { flags: 'a' });
  return superviseWorker({
    server,
    runsDir,
    ...(queues ? { queues } : {}),
    log,
    output: (line) => void output.write(`${line}\n`),
  });
}
