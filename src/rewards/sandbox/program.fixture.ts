// Programs for the tests of the sandbox, in either language.

import type { SandboxProgram } from './protocol.ts';

/** A program whose entry is `f`, called with each list of arguments; once without any if there are none. */
export const program = (source: string, ...calls: unknown[][]): SandboxProgram => ({
  source,
  entry: 'f',
  calls: (calls.length > 0 ? calls : [[]]).map((args) => JSON.stringify(args)),
});
