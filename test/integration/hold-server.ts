// A process for embedded-server.test.ts that uses an embedded server and prints its address. It
// exits, without closing the server, when its standard input ends.

import { startServer } from '../../src/workers/server/embedded-server.ts';

const [binary, dataDir] = process.argv.slice(2) as [string, string];
const ports = { port: 0, uiPort: 0 };
const { address } = await startServer({ binary, dataDir, ports, log: () => {} });
console.log(address);
process.stdin.on('end', () => process.exit()).resume();
