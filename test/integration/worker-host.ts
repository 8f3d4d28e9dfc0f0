// A worker in separate processes, as on a separate machine.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface WorkerHost {
  /** Process id of the worker. */
  worker: number;
  kill(): void;
}

/** Start a worker. @param env variables added to this process's environment. */
export async function openWorkerHost(
  serverAddress: string,
  runsDir: string,
  env: Record<string, string>,
): Promise<WorkerHost> {
  const script = fileURLToPath(new URL('./hold-worker.ts', import.meta.url));
  const holder: ChildProcessByStdio<null, Readable, null> = spawn(
    process.execPath,
    [script, serverAddress, runsDir],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [printed] = await once(holder.stdout, 'data');
  const worker = Number(printed);
  let alive = true;
  const kill = () => {
    if (alive) for (const pid of [holder.pid!, worker]) process.kill(pid, 'SIGKILL');
    alive = false;
  };
  return { worker, kill };
}
