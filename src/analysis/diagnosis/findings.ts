// A rule of the diagnosis and its finding. The rules are in rules/.

import type { Facts } from './epoch-facts.ts';

/** Names of the remedies that a finding can call for; remedies.ts defines each. */
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

/** What a rule found in an epoch. */
export interface Finding {
  /** Name of the rule; it does not change between versions. */
  rule: string;
  title: string;
  /** Short lines of Markdown, with the numbers. */
  details: string[];
  remedies: RemedyName[];
}

/** A named rule; it finds nothing if its condition does not hold or its metrics are missing. */
export interface Rule {
  name: string;
  check(
    facts: Facts,
  ): (Omit<Finding, 'rule' | 'remedies'> & { remedies?: RemedyName[] }) | undefined;
}

/** The findings of all rules that apply, in the order of the rules. */
export function apply(rules: readonly Rule[], facts: Facts): Finding[] {
  return rules.flatMap(({ name, check }) => {
    const found = check(facts);
    return found ? [{ remedies: [], ...found, rule: name }] : [];
  });
}
