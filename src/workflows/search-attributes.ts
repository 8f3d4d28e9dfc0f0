// Search attributes of runs and epochs, for lists and filters.

import { defineSearchAttributeKey } from '@temporalio/common';

export const searchKeys = {
  phase: defineSearchAttributeKey('AnnealPhase', 'KEYWORD'),
  epoch: defineSearchAttributeKey('AnnealEpoch', 'INT'),
  reward: defineSearchAttributeKey('AnnealReward', 'DOUBLE'),
};
