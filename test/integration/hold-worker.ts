// A process that supervises a worker until it is killed; prints the worker's process id.
// Arguments: address of the server, folder of runs.

import { superviseWorker } from '../../src/workers/supervisor.ts';

const [, , address, runsDir] = process.argv as [string, string, string, string];
const worker = superviseWorker({
  server: { connectionOptions: { address }, namespace: 'default' },
  runsDir,
  log: (line) => console.error(line),
});
await worker.ready;
console.log(worker.pid);
