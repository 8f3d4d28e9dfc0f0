// From findings to changes: the remedies that the findings call for, by priority, as overrides for a
// program and as YAML for a person.

import { settingValue } from '../format.ts';
import type { PartialSettings } from '../metrics/history.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { RemedyName } from './findings.ts';
import { type Proposal, remedies, type SettingChange } from './remedies.ts';

/** A proposal that some findings call for. */
export interface Recommendation extends Proposal {
  name: RemedyName;
  /** From 1, the most urgent. */
  priority: number;
  /** Names of the rules that call for it. */
  rules: string[];
}

/** A remedy yields to a more urgent one that opposes it, so no two change the same setting. */
const yieldsTo: Partial<Record<RemedyName, readonly RemedyName[]>> = {
  rebalance: ['strengthen-kl'],
  'raise-learning-rate': ['lower-learning-rate', 'strengthen-kl'],
};

/**
 * The changes to make after an epoch, most urgent first. Changes already made are not proposed again.
 * If only remedies for later are left, the first of them applies now.
 */
export function recommend({ facts, issues, warnings, causes }: Diagnosis): Recommendation[] {
  const findings = [...issues, ...causes, ...warnings];
  const called = new Set(findings.flatMap((finding) => finding.remedies));
  const names = (Object.keys(remedies) as RemedyName[]).filter(
    (name) => !yieldsTo[name]?.some((other) => called.has(other)),
  );
  const proposals = names.flatMap((name) => {
    const rules = findings.filter((finding) => finding.remedies.includes(name));
    const proposal = rules.length > 0 ? remedies[name](facts) : undefined;
    return proposal ? [{ ...proposal, name, rules: rules.map(({ rule }) => rule) }] : [];
  });
  const nothingNow = proposals.every(({ when }) => when === 'next');
  return proposals.map((proposal, index) => ({
    ...proposal,
    when: nothingNow && index === 0 ? 'now' : proposal.when,
    priority: index + 1,
  }));
}

/** The recommended changes to make now, most urgent first. */
export function changesNow(recommendations: readonly Recommendation[]): SettingChange[] {
  const now = recommendations.filter(({ when }) => when === 'now');
  return now.flatMap(({ options }) => options[0]?.changes ?? []);
}

/** Changes as overrides of a run's settings, without settings that are kept. */
export function overridesOf(changes: readonly SettingChange[]): PartialSettings {
  const overrides: Record<string, Record<string, unknown>> = {};
  for (const { section, key, from, to } of changes) {
    if (from === to) continue;
    overrides[section] ??= {};
    overrides[section][key] = to;
  }
  return overrides as PartialSettings;
}

/** Changes as YAML to paste into a run file, each with its previous value. */
export function renderYaml(changes: readonly SettingChange[]): string {
  const sections = ['training', 'rlaif'] as const;
  return sections
    .map((section) => ({ section, own: changes.filter((change) => change.section === section) }))
    .filter(({ own }) => own.length > 0)
    .map(({ section, own }) => [`${section}:`, ...own.map(yamlLine)].join('\n'))
    .join('\n\n');
}

function yamlLine({ key, from, to, why }: SettingChange): string {
  const value = settingValue(key, to);
  if (from === to) return `  ${key}: ${value}  # keep: ${why}`;
  return `  ${key}: ${value}  # ${verb(from, to)} from ${settingValue(key, from)}: ${why}`;
}

function verb(from: SettingChange['from'], to: SettingChange['to']): string {
  if (typeof from !== 'number' || typeof to !== 'number') return 'changed';
  return to > from ? 'increased' : 'decreased';
}
