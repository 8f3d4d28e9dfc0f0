// What the activities of a worker are built on.

import { join } from 'node:path';
import { createLocalStore } from '../artifacts/local-store.ts';
import type { Store } from '../artifacts/store.ts';
import type { ModelService } from '../rl/model-service.ts';

export interface Dependencies {
  /** Absolute path of the folder that holds the runs' folders. */
  runsDir: string;
  models: ModelService;
}

/** The files of a run. */
export function storeOf({ runsDir }: Dependencies, run: string): Store {
  return createLocalStore(join(runsDir, run));
}
