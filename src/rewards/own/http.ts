// `kind: http`: a service that batches are posted to.

import type { RewardOf } from '../../config/reward-traits.ts';
import type { RewardImplementation } from '../reward.ts';
import { createOwnReward } from './own-reward.ts';

/** Posts `{"items": [RewardItem, …]}`; the answer is `{"scores": [RewardScore, …]}`. */
export const httpKind: RewardImplementation<RewardOf<'http'>> = {
  create(config, { shared }) {
    const { url } = config;
    return createOwnReward(config, url, shared, async (items, signal) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ items }),
        redirect: 'error',
        signal,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text.slice(0, 200)}`);
      return (JSON.parse(text) as { scores?: unknown } | null)?.scores;
    });
  },
};
