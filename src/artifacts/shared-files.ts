// Files that workers share, next to the runs' folders: a judge's verdicts, limits and accounts. They
// are not synced one by one; a verdict lost in a power cut is requested again.

import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileMode, makeFolder, uniqueSuffix } from './local/atomic.ts';
import { locateUnder } from './local/store.ts';

/** As rewards see them (rewards/reward.ts). */
export type SharedFiles = ReturnType<typeof createSharedFiles>;

/** Files under `root`; paths are relative to it. The folder is made when first written to. */
export function createSharedFiles(root: string) {
  const locate = (path: string) => locateUnder(root, path);
  const missing =
    <T>(value: T) =>
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return value;
      throw error;
    };
  /** Write beside the target and let `place` move it there, so that nobody sees half a file. */
  async function put<T>(
    path: string,
    text: string,
    place: (from: string, to: string) => Promise<T>,
  ) {
    const target = locate(path);
    await makeFolder(dirname(target));
    const scratch = join(root, `.${uniqueSuffix()}`);
    try {
      await writeFile(scratch, text, { mode: fileMode });
      return await place(scratch, target);
    } finally {
      await rm(scratch, { force: true });
    }
  }
  return {
    read: (path: string) => readFile(locate(path), 'utf8').catch(missing(null)),
    write: (path: string, text: string) => put(path, text, rename),
    create: (path: string, text: string) =>
      put(path, text, (from, to) =>
        link(from, to).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code === 'EEXIST') return false;
            throw error;
          },
        ),
      ),
    list: (folder: string) => readdir(locate(folder)).catch(missing<string[]>([])),
    remove: (path: string) => rm(locate(path), { force: true }),
  };
}
