// The entry of a worker process: receives its settings from the supervisor (supervisor.ts), and
// serves until it is asked to end or its supervisor is gone.

import { DefaultLogger, Runtime } from '@temporalio/worker';
import { keepThreadPoolAwake } from '../process/thread-pool.ts';
import { runWorker, type WorkerSettings } from './worker.ts';

keepThreadPoolAwake();
const ending = new AbortController();
const end = () => ending.abort();

// A terminal's Ctrl-C reaches every process of the group, but the supervisor decides when to end.
process.on('SIGINT', () => {});
process.on('SIGTERM', end);
process.on('disconnect', end);
process.once('message', (settings: WorkerSettings) => void serve(settings));

async function serve(settings: WorkerSettings): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  try {
    await runWorker(settings, {
      signal: ending.signal,
      onReady: () => process.send?.('ready'),
    });
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
