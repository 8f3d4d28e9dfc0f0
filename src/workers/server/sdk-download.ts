// The download by Temporal's SDK, in a child process (sdk-download-child.ts) because the SDK cannot
// stop one. The SDK trusts the vendor's host; no hash is pinned.

import { readdir } from 'node:fs/promises';
import { ChildService, entryUrl } from '../../process/child-service.ts';
import { cachedBinaryPath, installBinary, temporalVersion } from './binary.ts';
import { whileGrowing } from './download-watch.ts';
import { type NotFound, notFound, type ServerBinary, type ServerSource } from './found-server.ts';
import type { DownloadMethods } from './sdk-download-child.ts';

/** The binary that the SDK downloads, into the cache. */
export const sdkDownload: ServerSource<ServerBinary> = {
  name: "the SDK's download",
  async find({ env, log, signal }) {
    log(`downloading Temporal ${temporalVersion} (about 50 MB) with its SDK`);
    return installBinary(cachedBinaryPath(env), this.name, (folder) =>
      whileGrowing(folder, { signal }, (stop) => download(folder, env, stop)),
    );
  },
};

async function download(
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | NotFound> {
  const entry = entryUrl(import.meta.url, './sdk-download-child');
  const child = new ChildService<DownloadMethods>({ entry, name: 'download', env });
  const kill = new AbortController();
  const stop = async () => {
    // After the download the SDK starts a server and ends it; killed in between, it would leave
    // the server running.
    if (!(await isComplete(folder))) kill.abort(signal.reason);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) void stop();
  try {
    return await child.call('download', folder, { signal: kill.signal });
  } catch (error) {
    return notFound(firstLine(error));
  } finally {
    signal.removeEventListener('abort', stop);
    await child.close();
  }
}

/** The SDK renames its `….downloading` when the download is complete. */
async function isComplete(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => !name.endsWith('.downloading'));
}

function firstLine(error: unknown): string {
  return String((error as Error).message)
    .split('\n')[0]!
    .slice(0, 300);
}
