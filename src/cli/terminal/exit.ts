// How a command ends: its exit code, and what an error looks like to the person at the terminal.

import { CommanderError } from 'commander';
import { AnnealError, type ErrorKind } from '../../errors.ts';

export const exitCodes = {
  ok: 0,
  /** A run that failed or was cancelled, a server that cannot be had. */
  failed: 1,
  /** A wrong command line, run file or input: nothing was started. */
  usage: 2,
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const;

const usageKinds: readonly ErrorKind[] = ['InvalidConfig', 'InvalidData', 'InvalidModel'];

/** The exit code that tells scripts what kind of error ended the command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const bad = error instanceof AnnealError && usageKinds.includes(error.kind);
  return bad ? exitCodes.usage : exitCodes.failed;
}

/** `error: …` for stderr; the stack and its causes too where ANNEAL_DEBUG=1. */
export function formatError(error: unknown, debug = process.env.ANNEAL_DEBUG === '1'): string {
  const known = error instanceof Error ? error : new Error(String(error));
  if (!debug) return `error: ${known.message}`;
  const causes: string[] = [];
  for (let cause = known.cause; cause instanceof Error; cause = cause.cause)
    causes.push(`caused by: ${cause.stack}`);
  return [`error: ${known.stack}`, ...causes].join('\n');
}
