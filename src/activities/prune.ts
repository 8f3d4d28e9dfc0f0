// Takes away what the run's retention does not keep, after an epoch was measured.

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
      // A run that was reset to this epoch has not got to the later ones yet.
      const history = parseMetricsJsonl(text, layout.metrics).filter((line) => line.epoch <= epoch);
      const expired = await expiredPaths(store, retention, history).catch(async (error) => {
        if (!isDamaged(error)) throw error;
        // What cannot be read may need anything: nothing goes, and the run goes on.
        await scope.reportDamage(error.message);
        return [];
      });
      for (const path of expired) await store.remove(path);
      return expired;
    });
  };
}
