// The entry point of the command line: runs the command that the arguments name. A command that
// fails ends with an exit code and one message on stderr.

import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { exitCodeOf, formatError } from './terminal/exit.ts';
import { endWithReader, finalExitCode } from './terminal/interrupt.ts';

endWithReader();
try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has already printed what is wrong with the command line.
  if (!(error instanceof CommanderError)) console.error(formatError(error));
  process.exitCode = exitCodeOf(error);
}
process.exitCode = finalExitCode(process.exitCode);
