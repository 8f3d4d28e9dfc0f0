// The values of rlaif.algorithm. Free of imports, so that the run file's schema, the analysis and
// src/rl/algorithms.ts, which has the formulas, can all read it.

/**
 * A group-relative algorithm compares a sample's reward with its group's, so a group of equal
 * rewards teaches it nothing.
 */
export const algorithmTraits = {
  reinforce: { groupRelative: false },
  baseline: { groupRelative: true },
  rloo: { groupRelative: true },
  grpo: { groupRelative: true },
  dr_grpo: { groupRelative: true },
} as const;
export type AlgorithmName = keyof typeof algorithmTraits;
