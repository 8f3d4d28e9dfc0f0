// A run gives the same bits after a few random kills of worker, engine and server. `npm run chaos`
// makes many.

import { expect, it } from 'vitest';
import { chaos } from '../chaos/chaos.ts';

it.runIf(process.platform === 'linux')(
  'ends with the same bits after five random kills',
  async () => {
    const { calm, disturbed, kills } = await chaos(5, 1);
    expect(kills).toHaveLength(5);
    for (const { checkpoint, metrics } of disturbed)
      expect({ checkpoint, metrics }).toEqual({
        checkpoint: calm.checkpoint,
        metrics: calm.metrics,
      });
  },
);
