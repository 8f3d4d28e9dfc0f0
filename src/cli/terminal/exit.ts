// The exit code of a command, and the format of its error message.

import { CommanderError } from 'commander';
import { AnnealError, type ErrorKind } from '../../errors.ts';

export const exitCodes = {
  ok: 0,
  /** The run failed or was cancelled, or there is no server. */
  failed: 1,
  /** The command line, run file or input is wrong; nothing was started. */
  usage: 2,
  /** Ctrl-C, as in shells: 128 + SIGINT. */
  interrupted: 130,
  /** Nobody reads the output, as in shells: 128 + SIGPIPE. */
  outputClosed: 141,
} as const;

const usageKinds: readonly ErrorKind[] = ['InvalidConfig', 'InvalidData', 'InvalidModel'];

/** The exit code for an error, by its kind. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const bad = error instanceof AnnealError && usageKinds.includes(error.kind);
  return bad ? exitCodes.usage : exitCodes.failed;
}

/** `error: …` for stderr; with ANNEAL_DEBUG=1 also the stack and the causes. */
export function formatError(error: unknown, debug = process.env.ANNEAL_DEBUG === '1'): string {
  const known = error instanceof Error ? error : new Error(String(error));
  if (!debug) return `error: ${known.message}`;
  const causes: string[] = [];
  for (let cause = known.cause; cause instanceof Error; cause = cause.cause)
    causes.push(`caused by: ${cause.stack}`);
  return [`error: ${known.stack}`, ...causes].join('\n');
}
