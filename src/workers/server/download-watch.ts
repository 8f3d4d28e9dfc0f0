// Notices a download that has stalled, by the bytes on disk: the programs that download report no
// progress of their own.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A download that gains no byte for this long is stopped. */
export const downloadStallMs = 20_000;

const pollMs = 500;

/**
 * Run `download` with a signal that aborts when `signal` does, or when the files under `folder`
 * have not grown for `stallMs`.
 */
export async function whileGrowing<T>(
  folder: string,
  { signal, stallMs = downloadStallMs }: { signal?: AbortSignal | undefined; stallMs?: number },
  download: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stalled = new AbortController();
  let bytes = 0;
  let grewAt = performance.now();
  const look = async () => {
    const now = await bytesUnder(folder);
    if (now !== bytes) [bytes, grewAt] = [now, performance.now()];
    if (performance.now() - grewAt > stallMs)
      stalled.abort(new Error(`stopped: no data for ${stallMs / 1000} s`));
  };
  const timer = setInterval(() => void look(), Math.min(pollMs, stallMs));
  try {
    return await download(AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]));
  } finally {
    clearInterval(timer);
  }
}

async function bytesUnder(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
