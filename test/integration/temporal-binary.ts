// Before the integration suite: a `temporal` binary, which the first time may take minutes to
// build. The tests find it under ANNEAL_TEMPORAL_CLI.

import { findBinary } from '../../src/workers/server/find-server.ts';

export default async function setup(): Promise<void> {
  const binary = await findBinary({ log: (line) => console.log(line) });
  process.env.ANNEAL_TEMPORAL_CLI = binary.path;
}
