// What a rule is and what it finds. The rules themselves: strengths.ts, issues.ts, causes.ts.

import type { Facts } from './epoch-facts.ts';

/** Names of the changes that a finding can call for; remedies.ts says what each changes. */
export type RemedyName =
  | 'relax-threshold'
  | 'strengthen-kl'
  | 'lower-learning-rate'
  | 'rebalance'
  | 'raise-learning-rate'
  | 'reward-threshold'
  | 'best-of-n'
  | 'temperature'
  | 'more-samples'
  | 'longer-completions';

/** What a rule says of an epoch. */
export interface Finding {
  /** Stable name of the rule. */
  rule: string;
  title: string;
  /** Short lines of Markdown, with the numbers. */
  details: string[];
  remedies: RemedyName[];
}

/** A named rule: silent where its condition does not hold or its numbers are missing. */
export interface Rule {
  name: string;
  check(
    facts: Facts,
  ): (Omit<Finding, 'rule' | 'remedies'> & { remedies?: RemedyName[] }) | undefined;
}

/** The findings of the rules that speak, in the order of the rules. */
export function apply(rules: readonly Rule[], facts: Facts): Finding[] {
  return rules.flatMap(({ name, check }) => {
    const found = check(facts);
    return found ? [{ remedies: [], ...found, rule: name }] : [];
  });
}
