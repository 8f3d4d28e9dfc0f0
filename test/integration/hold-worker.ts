// A process that supervises a worker until it is killed, and prints the worker's process id.
// Arguments: the server's address, the runs folder.

import { superviseWorker } from '../../src/workers/supervisor.ts';

const [, , address, runsDir] = process.argv as [string, string, string, string];
const worker = superviseWorker({
  server: { connectionOptions: { address }, namespace: 'default' },
  runsDir,
  log: (line) => console.error(line),
});
await worker.ready;
console.log(worker.pid);
