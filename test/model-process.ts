// Finds a worker's model process and its memory through the operating system.

import { readFile } from 'node:fs/promises';

/** The model process among a process's children. */
export async function engineOf(parent: number | undefined): Promise<number | undefined> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const children = await read(`/proc/${parent}/task/${parent}/children`);
  for (const pid of children.split(' ').filter((child) => child !== ''))
    if ((await read(`/proc/${pid}/cmdline`)).includes('model-process')) return Number(pid);
  return undefined;
}

/** Resident memory of a process in MB; 0 if there is no such process. */
export async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
