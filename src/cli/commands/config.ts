// `anneal config FILE`: the resolved configuration, and nothing else, on stdout.

import { type LoadOptions, loadRunFile } from '../../config/load.ts';
import { resolveInput } from '../../config/paths.ts';
import { printJson } from '../terminal/output.ts';

export interface ConfigOptions {
  seed?: number | undefined;
  name?: string | undefined;
  set: string[];
}

export async function configCommand(
  file: string,
  { seed, name, set }: ConfigOptions,
): Promise<number> {
  const options: LoadOptions = { set, overrides: { seed, name } };
  printJson(await loadRunFile(resolveInput(file, 'run file'), options));
  return 0;
}
