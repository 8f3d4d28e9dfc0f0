// The entry of the command line: runs the command that the arguments name, and turns how it ends
// into an exit code and, where it fails, one message on stderr.

import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { exitCodeOf, formatError } from './terminal/exit.ts';

try {
  const program = createProgram((code) => {
    process.exitCode = code;
  });
  await program.parseAsync();
} catch (error) {
  // Commander has said by itself what is wrong with the command line.
  if (!(error instanceof CommanderError)) console.error(formatError(error));
  process.exitCode = exitCodeOf(error);
}
