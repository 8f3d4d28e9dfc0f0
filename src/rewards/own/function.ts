// `kind: function`: the default export of an ES module.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { resolveInput } from '../../config/paths.ts';
import type { RewardOf } from '../../config/reward-traits.ts';
import { AnnealError } from '../../errors.ts';
import type { RewardImplementation } from '../reward.ts';
import { createOwnReward, type RewardFunction } from './own-reward.ts';
import { checkCodeAllowed } from './permission.ts';

type FunctionConfig = RewardOf<'function'>;

export const functionKind: RewardImplementation<FunctionConfig> = {
  create(config, { shared }) {
    let loaded: Promise<RewardFunction> | undefined;
    return createOwnReward(config, config.sha256, shared, async (items) => {
      checkCodeAllowed(config.name);
      loaded ??= loadFunction(config);
      return (await loaded)(items);
    });
  },
  check: ({ name }) => checkCodeAllowed(name),
  /** The module stays where it is, since it may import others; its hash goes into the run. */
  async readFiles(config, resolve) {
    const path = resolve(config.path, `rewards: path of '${config.name}'`);
    const sha256 = await hashOfFile(path, config.name);
    checkHash(config, sha256);
    return { ...config, path, sha256 };
  },
};

async function loadFunction(config: FunctionConfig): Promise<RewardFunction> {
  const path = resolveInput(config.path, `rewards: path of '${config.name}'`);
  const sha256 = await hashOfFile(path, config.name);
  checkHash(config, sha256);
  const refuse = (found: string) =>
    new AnnealError(
      'InvalidConfig',
      `${path}: expected an ES module whose default export is a function that scores a batch, found ${found}`,
    );
  // The hash makes a changed module another one for the loader.
  const module = await import(`${pathToFileURL(path)}?${sha256}`).catch((error) => {
    throw refuse(`one that cannot be imported: ${error.message}`);
  });
  if (typeof module.default === 'function') return module.default;
  throw refuse(module.default === undefined ? 'none' : `a ${typeof module.default}`);
}

async function hashOfFile(path: string, name: string): Promise<string> {
  const bytes = await readFile(path).catch((error) => {
    throw new AnnealError(
      'InvalidConfig',
      `rewards: path of '${name}': expected a module in ${path}, found: ${error.message}`,
    );
  });
  return createHash('sha256').update(bytes).digest('hex');
}

function checkHash({ name, path, sha256 }: FunctionConfig, found: string): void {
  if (sha256 === null || sha256 === found) return;
  throw new AnnealError(
    'InvalidConfig',
    `rewards: '${name}': expected the module ${path} that the run began with (sha256 ${sha256.slice(0, 12)}…), found another (${found.slice(0, 12)}…). Put it back, or start another run from a checkpoint (resume_from).`,
  );
}
