// Runs Temporal's own CLI against the server of these runs.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { startCodecServer } from '../../workers/payloads/codec-server.ts';
import { EncryptionCodec } from '../../workers/payloads/encryption-codec.ts';
import { readPayloadKeys } from '../../workers/payloads/keys.ts';
import { findBinary } from '../../workers/server/find-server.ts';
import { configuredServer } from '../../workers/server/local-sources.ts';
import { readRecord } from '../../workers/server/server-record.ts';
import { dataDirOf, type Place } from '../services/temporal.ts';

/** Pass the arguments through; without any, print the path of the binary. */
export async function runTemporalCli(args: readonly string[], place: Place): Promise<number> {
  const { path } = await findBinary({ temporalCli: place.temporalCli, log: () => {} });
  if (args.length === 0) {
    console.log(path);
    return 0;
  }
  const codec = await ownCodecServer();
  const env = { ...(await environment(place.runsDir)), ...codec?.env };
  const child = spawn(path, args, { stdio: 'inherit', env });
  // The child answers Ctrl-C.
  process.on('SIGINT', () => {});
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await codec?.close();
  return code ?? 128 + constants.signals[signal!];
}

/** If payloads are encrypted, a codec server for this child, unless the user configured one. */
async function ownCodecServer() {
  const keys = readPayloadKeys();
  if (keys.size === 0 || process.env.TEMPORAL_CODEC_ENDPOINT) return null;
  const token = randomBytes(32).toString('hex');
  const codec = new EncryptionCodec(keys);
  const { url, close } = await startCodecServer({ codec, port: 0, token });
  const env = { TEMPORAL_CODEC_ENDPOINT: url, TEMPORAL_CODEC_AUTH: `Bearer ${token}` };
  return { env, close };
}

/** The user's own Temporal configuration, else the address of the embedded server. */
async function environment(runsDir: string): Promise<NodeJS.ProcessEnv> {
  const configured = await configuredServer.find({ env: process.env, log: () => {} });
  const record = readRecord(dataDirOf(runsDir));
  if (configured.kind === 'address' || !record) return process.env;
  return { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${record.port}` };
}
