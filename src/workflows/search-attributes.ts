// The search attributes by which runs and epochs are found and listed.

import { defineSearchAttributeKey } from '@temporalio/common';

export const searchKeys = {
  phase: defineSearchAttributeKey('AnnealPhase', 'KEYWORD'),
  epoch: defineSearchAttributeKey('AnnealEpoch', 'INT'),
  reward: defineSearchAttributeKey('AnnealReward', 'DOUBLE'),
};
