// Functions and programs that a run file names run as the worker does. Whoever may start a run
// writes its run file, so the person who starts a worker has to allow it.

import { AnnealError } from '../../errors.ts';

/** Set to 1, it allows run files to name modules and programs that the worker runs. */
export const codeVariable = 'ANNEAL_ALLOW_CODE';

/** @throws AnnealError InvalidConfig unless this worker runs code that run files name */
export function checkCodeAllowed(name: string, env: NodeJS.ProcessEnv = process.env): void {
  if (env[codeVariable] === '1') return;
  throw new AnnealError(
    'InvalidConfig',
    `rewards: '${name}': expected a worker that runs code named in run files, found one that does not. If everyone who may start runs may also run programs there, start all workers with --allow-code or ${codeVariable}=1.`,
  );
}

/** For commands: whoever passes a run file to one trusts it. */
export function allowCode(): void {
  process.env[codeVariable] = '1';
}
