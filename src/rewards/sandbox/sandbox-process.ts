// The sandbox process: runs programs in an interpreter. sandbox.ts starts it without environment,
// without files beyond its own code, and without the right to start processes.

import { setImmediate } from 'node:timers/promises';
import { serve } from '../../process/serve.ts';
import type {
  Language,
  ProgramOutcome,
  SandboxLimits,
  SandboxMethods,
  SandboxProgram,
} from './protocol.ts';

// QuickJS takes its clock and the seed of Math.random from here; programs must not depend on them.
const frozenTime = Date.UTC(2024, 0, 1);
Date.now = () => frozenTime;
performance.now = () => 0;

interface Interpreter {
  run: (program: SandboxProgram) => ProgramOutcome;
  /** Load what tests that assert need beyond the interpreter itself. */
  loadTests?: () => Promise<void>;
  /** Make it ready for the next program. */
  renew?: () => Promise<void>;
}
let interpreter: Interpreter | undefined;

async function loadInterpreter({
  language,
  ...limits
}: SandboxLimits & { language: Language }): Promise<Interpreter> {
  if (language === 'python')
    return (await import('./python/interpreter.ts')).PythonInterpreter.load(limits);
  if (language === 'typescript') return (await import('./typescript/compiler.ts')).Compiler.load();
  return (await import('./javascript/interpreter.ts')).Interpreter.load(limits);
}

serve<SandboxMethods>({
  load: async ({ asserts, ...limits }) => {
    interpreter ??= await loadInterpreter(limits);
    if (asserts) await interpreter.loadTests?.();
    return null;
  },
  run: async (programs, { progress }) => {
    for (const program of programs) {
      progress(runOrDie(program));
      await interpreter?.renew?.();
      // Lets the outcome be sent before the next program can block this process.
      await setImmediate();
    }
    return null;
  },
});

/** End the process if a program breaks the interpreter itself. */
function runOrDie(program: SandboxProgram): ProgramOutcome {
  try {
    if (!interpreter) throw new Error('expected `load` before `run`');
    return interpreter.run(program);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
