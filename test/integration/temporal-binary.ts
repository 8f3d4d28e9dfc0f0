// Setup of the integration suite: finds a `temporal` binary, or builds one, which takes minutes the
// first time. The tests find it in ANNEAL_TEMPORAL_CLI.

import { findBinary } from '../../src/workers/server/find-server.ts';

export default async function setup(): Promise<void> {
  const binary = await findBinary({ log: (line) => console.log(line) });
  process.env.ANNEAL_TEMPORAL_CLI = binary.path;
}
