// Finds a Temporal server, or the binary to start one with, by the ways there are, cheapest and
// most deliberate first. Starting one is embedded-server.ts.

import { AnnealError } from '../../errors.ts';
import type { ConfiguredServer, FindOptions, ServerBinary, ServerSource } from './found-server.ts';
import { goBuild } from './go-build.ts';
import { binaryOnPath, cachedBinary, configuredServer, namedBinary } from './local-sources.ts';
import { sdkDownload } from './sdk-download.ts';

/** The ways to a binary, in order; each later one costs more time. */
export const binarySources: readonly ServerSource<ServerBinary>[] = [
  namedBinary,
  binaryOnPath,
  cachedBinary,
  sdkDownload,
  goBuild,
];

/**
 * A server named by the user's Temporal configuration, else a `temporal` binary. May take minutes
 * where the binary has to be downloaded or built; `log` is told.
 * @throws AnnealError NoServer that lists what was tried and what to do; InvalidConfig for a
 * Temporal configuration that cannot be read
 */
export function findServer(options: FindOptions): Promise<ConfiguredServer | ServerBinary> {
  return firstOf<ConfiguredServer | ServerBinary>([configuredServer, ...binarySources], options);
}

/** A `temporal` binary, whatever the Temporal configuration says. @throws AnnealError NoServer */
export function findBinary(options: FindOptions): Promise<ServerBinary> {
  return firstOf(binarySources, options);
}

/** What the first of `sources` that leads anywhere finds. @throws AnnealError NoServer */
export async function firstOf<T extends ConfiguredServer | ServerBinary>(
  sources: readonly ServerSource<T>[],
  options: FindOptions,
): Promise<T> {
  const tried: string[] = [];
  for (const source of sources) {
    const found = await source.find({ ...options, env: options.env ?? process.env });
    if (found.kind !== 'none') {
      options.log(`Temporal server: ${describe(found)}`);
      return found;
    }
    tried.push(`${source.name}: ${found.reason}`);
  }
  throw new AnnealError('NoServer', noServerMessage(tried));
}

function describe(found: ConfiguredServer | ServerBinary): string {
  if (found.kind === 'address') return `${found.address}, from ${found.source}`;
  return `${found.path}, version ${found.version}, from ${found.source}`;
}

function noServerMessage(tried: readonly string[]): string {
  return [
    'expected a Temporal server, found none. Tried:',
    ...tried.map((line) => `  - ${line}`),
    'What to do, any one of: start a server and set TEMPORAL_ADDRESS (such as 127.0.0.1:7233);',
    'install the temporal CLI and put it on the PATH, or name it with --temporal-cli;',
    'install Go 1.26.4 or newer, and Anneal builds the server itself.',
  ].join('\n');
}
