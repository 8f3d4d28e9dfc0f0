// A real file system that tests can fill and make read-only: a tmpfs, which needs root to mount.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no disk can be mounted here; null if one can. */
export function smallDiskMissing(): string | null {
  if (process.platform !== 'linux') return 'small disks are mounted on Linux only';
  // Other users, and containers without the permission, are refused.
  const folder = mkdtempSync(join(tmpdir(), 'anneal-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  if (status === 0) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return status === 0 ? null : 'mounting a file system needs root';
}

export interface SmallDisk {
  readonly folder: string;
  /** Grow or shrink the disk to a size in bytes; its files stay. */
  resize(bytes: number): void;
  setReadOnly(readOnly: boolean): void;
  close(): void;
}

/** @param folder an empty folder to mount the disk on; a new one by default. */
export function mountSmallDisk(
  bytes: number,
  folder = mkdtempSync(join(tmpdir(), 'anneal-disk-')),
): SmallDisk {
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  mount(`size=${bytes}`);
  return {
    folder,
    resize: (size) => mount(`remount,size=${size}`),
    setReadOnly: (readOnly) => mount(`remount,${readOnly ? 'ro' : 'rw'}`),
    close() {
      execFileSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
