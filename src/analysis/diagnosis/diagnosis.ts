// Compares an epoch with the one before it: what works, what does not, and why. recommendations.ts
// derives the changes to make.

import { type ComparisonRow, compareEpochs } from './comparison.ts';
import { type DiagnosisInput, type Facts, factsOf } from './epoch-facts.ts';
import { apply, type Finding } from './findings.ts';
import { causeRules } from './rules/causes.ts';
import { issueRules } from './rules/issues.ts';
import { strengthRules } from './rules/strengths.ts';
import { warningRules } from './rules/warnings.ts';

export interface Diagnosis {
  facts: Facts;
  rows: ComparisonRow[];
  working: Finding[];
  /** Critical issues, most critical first. */
  issues: Finding[];
  warnings: Finding[];
  causes: Finding[];
}

/** Diagnose an epoch; undefined if the history does not contain it. */
export function diagnose(input: DiagnosisInput): Diagnosis | undefined {
  const facts = factsOf(input);
  return (
    facts && {
      facts,
      rows: compareEpochs(facts),
      working: apply(strengthRules, facts),
      issues: apply(issueRules, facts),
      warnings: apply(warningRules, facts),
      causes: apply(causeRules, facts),
    }
  );
}
