// Sources that need no download: the standard configuration, a named binary, the PATH, the cache.

import { delimiter, join, resolve } from 'node:path';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import { AnnealError } from '../../errors.ts';
import { binaryName, cachedBinaryPath, checkBinary } from './binary.ts';
import {
  type ConfiguredServer,
  notFound,
  type ServerBinary,
  type ServerSource,
} from './found-server.ts';

/** TEMPORAL_ADDRESS, or the address in a profile of Temporal's configuration file. */
export const configuredServer: ServerSource<ConfiguredServer> = {
  name: 'the TEMPORAL_* configuration',
  async find({ env }) {
    const { connectionOptions, namespace } = readConfiguration(env);
    const { address } = connectionOptions;
    if (!address) return notFound('neither TEMPORAL_ADDRESS nor a profile gives an address');
    return {
      kind: 'address',
      source: this.name,
      address,
      namespace: namespace ?? 'default',
      connectionOptions,
    };
  },
};

function readConfiguration(env: NodeJS.ProcessEnv) {
  const defined = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    const profile = loadClientConfigProfile({ overrideEnvVars: Object.fromEntries(defined) });
    const { clientCert, clientKey } = profile.tls ?? {};
    // The SDK silently ignores half a pair.
    if (!clientCert !== !clientKey)
      throw new Error(
        `expected a client certificate and its key, found only the ${clientCert ? 'certificate' : 'key'}`,
      );
    return toClientOptions(profile);
  } catch (cause) {
    const message = `the Temporal configuration (TEMPORAL_* variables and temporal.toml) cannot be read: ${(cause as Error).message}. Fix or unset it`;
    throw new AnnealError('InvalidConfig', message, { cause });
  }
}

/** The binary that --temporal-cli or ANNEAL_TEMPORAL_CLI names. */
export const namedBinary: ServerSource<ServerBinary> = {
  name: '--temporal-cli or ANNEAL_TEMPORAL_CLI',
  async find({ env, temporalCli }) {
    const named = temporalCli ?? env.ANNEAL_TEMPORAL_CLI;
    if (!named) return notFound('not given');
    const source = temporalCli ? '--temporal-cli' : 'ANNEAL_TEMPORAL_CLI';
    const binary = await checkBinary(resolve(named), source);
    if (binary.kind === 'binary') return binary;
    const message = `expected ${source} to name a temporal binary: ${binary.reason}. Correct the path, or omit it and Anneal looks for a server`;
    throw new AnnealError('NoServer', message);
  },
};

/** `temporal` on the PATH. */
export const binaryOnPath: ServerSource<ServerBinary> = {
  name: 'temporal on the PATH',
  async find({ env }) {
    const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
    const refused: string[] = [];
    for (const folder of folders) {
      const binary = await checkBinary(join(folder, binaryName), this.name);
      if (binary.kind === 'binary') return binary;
      if (!binary.reason.startsWith('no file')) refused.push(binary.reason);
    }
    return notFound(refused.join('; ') || `not in any of its ${folders.length} folders`);
  },
};

/** The binary of an earlier download or build. */
export const cachedBinary: ServerSource<ServerBinary> = {
  name: 'the cache',
  async find({ env }) {
    return checkBinary(cachedBinaryPath(env), this.name);
  },
};
