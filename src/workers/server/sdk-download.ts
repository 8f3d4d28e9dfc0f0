// The way by download: Temporal's SDK fetches the binary, in a child process
// (sdk-download-child.ts), because a fetch of the SDK's cannot be stopped.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildService, entryUrl } from '../../process/child-service.ts';
import { cachedBinaryPath, installBinary } from './binary.ts';
import { type NotFound, notFound, type ServerBinary, type ServerSource } from './found-server.ts';
import type { DownloadMethods } from './sdk-download-child.ts';

/** A download that gains no byte for so long is given up. */
const stallMs = 20_000;
const pollMs = 500;

/** The SDK's own download, into the cache. */
export const sdkDownload: ServerSource<ServerBinary> = {
  name: "the SDK's download",
  async find({ env, log }) {
    log(
      `downloading a Temporal server (some 50 MB); given up after ${stallMs / 1000} s of silence`,
    );
    return installBinary(cachedBinaryPath(env), this.name, (folder) => download(folder, env));
  },
};

async function download(folder: string, env: NodeJS.ProcessEnv): Promise<string | NotFound> {
  const entry = entryUrl(import.meta.url, './sdk-download-child');
  const child = new ChildService<DownloadMethods>({ entry, name: 'download', env });
  const stalled = new AbortController();
  const watch = watchGrowth(folder, () =>
    stalled.abort(new Error(`nothing came for ${stallMs / 1000} s`)),
  );
  try {
    return await child.call('download', folder, { signal: stalled.signal });
  } catch (error) {
    return notFound(firstLine(error));
  } finally {
    clearInterval(watch);
    await child.close();
  }
}

/** Calls `onStall` when the bytes in `folder` have not changed for `stallMs`. */
function watchGrowth(folder: string, onStall: () => void): NodeJS.Timeout {
  let bytes = 0;
  let changedAt = performance.now();
  const look = async () => {
    const now = await bytesIn(folder);
    if (now !== bytes) [bytes, changedAt] = [now, performance.now()];
    if (performance.now() - changedAt > stallMs) onStall();
  };
  return setInterval(() => void look(), pollMs);
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name))
      .then(({ size }) => size)
      .catch(() => 0),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function firstLine(error: unknown): string {
  return String((error as Error).message)
    .split('\n')[0]!
    .slice(0, 300);
}
