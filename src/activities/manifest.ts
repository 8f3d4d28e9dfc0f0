// The run's manifest: the folder's owner, and everything besides the run file that its bits depend
// on.

import { cpus } from 'node:os';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import { AnnealError } from '../errors.ts';
import type { PrepareInput } from './contract.ts';
import { currentEnvironment, parseManifest } from './environment.ts';

/**
 * A folder belongs to the run that created it.
 * @throws AnnealError InvalidConfig if that is another run
 */
export async function checkOwner(store: Store, input: PrepareInput): Promise<void> {
  const text = await store.readText(layout.manifest);
  if (text === null || parseManifest(text).execution === input.execution) return;
  throw new AnnealError(
    'InvalidConfig',
    `the folder of runs already holds another run named '${input.run}', with its checkpoints. Start this one under another name (--name, or the workflow id), or move that folder away.`,
  );
}

/** Write the manifest, with references to the inputs. It is the last file that `prepare` writes. */
export async function writeManifest(
  store: Store,
  { run, execution }: PrepareInput,
  inputs: Record<string, unknown>,
): Promise<void> {
  const manifest = {
    run,
    execution,
    conditions: await currentEnvironment(),
    cpu: cpus()[0]?.model,
    ...inputs,
  };
  await store.write(layout.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
}
