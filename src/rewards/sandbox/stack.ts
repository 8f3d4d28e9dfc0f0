// Starts Node with a stack that programs of deep recursion need: V8 has to have much more of it than
// the interpreter that it runs, or a program would overflow where V8 does, which depends on how far
// it has optimised the interpreter by then.

import { existsSync } from 'node:fs';
import type { Language } from './protocol.ts';

const shell = '/bin/sh';
const deepKib = 61_440;
/** What a system gives, of which V8 may use so much. */
const systemKib = 65_520;
const usualKib = 4000;
const script = `unset PWD OLDPWD SHLVL
ulimit -S -s ${systemKib} 2>/dev/null && exec "$0" --stack-size=${deepKib} "$@"
exec "$0" --stack-size=${usualKib} "$@"`;

/** How to start a sandbox process: an interpreter's with a deep stack, if the system grants one. */
export function launchOf(
  language: Language,
  flags: readonly string[],
): { execPath: string; execArgv: string[] } {
  if (language !== 'typescript' && existsSync(shell))
    return { execPath: shell, execArgv: ['-c', script, process.execPath, ...flags] };
  return { execPath: process.execPath, execArgv: [...flags, `--stack-size=${usualKib}`] };
}

/** Whether this process was started with a deep stack. */
export function hasDeepStack(): boolean {
  return process.execArgv.includes(`--stack-size=${deepKib}`);
}
