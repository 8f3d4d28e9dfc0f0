// How much processor time another process has used.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** Linux counts in hundredths of a second for programs, whatever its own unit is. */
const msPerTick = 10;

/** In milliseconds, over all threads; undefined if the process is gone or the system does not say. */
export async function processorTimeMs(pid: number): Promise<number | undefined> {
  try {
    if (process.platform === 'linux') return ofStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (process.platform !== 'win32') return ofPs(await output('ps', ['-o', 'time=', '-p', pid]));
    const script = `(Get-Process -Id ${pid}).TotalProcessorTime.TotalMilliseconds`;
    return Number(await output('powershell', ['-NoProfile', '-Command', script]));
  } catch {
    return undefined;
  }
}

/** Fields 14 and 15 of proc_pid_stat(5), after the name in brackets, which may contain any text. */
function ofStat(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** `[[days-]hours:]minutes:seconds`. */
function ofPs(time: string): number {
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = time
    .trim()
    .split(/[-:]/)
    .map(Number)
    .reverse();
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

async function output(command: string, args: (string | number)[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args.map(String));
  return stdout;
}
