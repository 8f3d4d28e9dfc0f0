// Deletes what the run's retention does not keep, after an epoch was measured.

import { parseMetricsJsonl } from '../analysis/metrics/history.ts';
import { readVerified } from '../artifacts/documents.ts';
import { layout } from '../artifacts/layout.ts';
import { isDamaged } from '../artifacts/local/store.ts';
import { expiredPaths } from '../artifacts/retention.ts';
import { runActivity } from './activity.ts';
import type { PruneInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';

export function pruneWith(dependencies: Dependencies) {
  return async function prune({ run, epoch, retention }: PruneInput): Promise<string[]> {
    const store = storeOf(dependencies, run);
    return runActivity(store, { epoch }, async (scope) => {
      const text = (await readVerified(store, layout.metrics)) ?? '';
      // If the run was reset to this epoch, later lines are from before the reset.
      const history = parseMetricsJsonl(text, layout.metrics).filter((line) => line.epoch <= epoch);
      const expired = await expiredPaths(store, retention, history).catch(async (error) => {
        if (!isDamaged(error)) throw error;
        // An unreadable checkpoint may need any file, so nothing is deleted.
        await scope.reportDamage(error.message);
        return [];
      });
      for (const path of expired) await store.remove(path);
      return expired;
    });
  };
}
