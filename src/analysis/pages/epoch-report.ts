// The analysis page of an epoch, as Markdown: sections put in order. What they say is diagnosis.ts
// and recommendations.ts; how advice is written out is report-advice.ts.

import { AnnealError } from '../../errors.ts';
import type { ComparisonRow, Judgement, Verdict } from '../diagnosis/comparison.ts';
import { type Diagnosis, diagnose } from '../diagnosis/diagnosis.ts';
import type { DiagnosisInput, Facts } from '../diagnosis/epoch-facts.ts';
import { recommend } from '../diagnosis/recommendations.ts';
import type { EpochRecord } from '../metrics/history.ts';
import { isJudgeNumber, judgesOf } from '../metrics/judge-summary.ts';
import { adviceSections } from './advice.ts';
import { absent, fixed, settingValue, share, signed } from './format.ts';
import {
  conditionsSection,
  critical,
  headed,
  markdownTable,
  numbered,
  renderPage,
  type Section,
} from './markdown.ts';

export { renderDetails, type Standing } from './details.ts';
export { epochColumns, epochRow } from './epoch-table.ts';
export { sparkline } from './format.ts';
export { renderRunReport } from './run-report.ts';

/**
 * The page of one epoch compared with the one before it.
 * @throws AnnealError InvalidData where the history does not hold the epoch.
 */
export function renderEpochReport(input: DiagnosisInput): string {
  const diagnosis = diagnose(input);
  if (!diagnosis) throw unknownEpoch(input);
  const { before, after } = diagnosis.facts;
  const epochs = before ? `Epochs ${before.epoch}-${after.epoch}` : `Epoch ${after.epoch}`;
  return renderPage(`Training Analysis Update - ${epochs}`, [
    ...resultSections(diagnosis),
    ...adviceSections(diagnosis, recommend(diagnosis)),
    conditionsSection(input),
  ]);
}

/** What an epoch brought, from the table to the causes. */
function resultSections(diagnosis: Diagnosis): Section[] {
  const { facts, rows, working, issues, warnings, causes } = diagnosis;
  return [
    { title: 'Results', body: results(facts, rows) },
    { title: 'Reward Distribution', body: distribution(facts) },
    { title: 'Reward by Criterion', body: criteria(facts) },
    { title: 'Judges', body: judges(facts) },
    { title: "What's Working ✅", body: numbered(working) },
    { title: 'Critical Issues 🔴', body: critical(issues) || noIssue(facts) },
    { title: 'Warnings ⚠️', body: numbered(warnings) },
    { title: 'Root Cause Analysis', body: headed(causes) },
  ];
}

function unknownEpoch({ history, epoch }: DiagnosisInput): AnnealError {
  const known = history.map((line) => line.epoch).join(', ') || 'none';
  return new AnnealError(
    'InvalidData',
    `expected metrics of epoch ${epoch}, found those of: ${known}. Name one of them.`,
  );
}

function results(facts: Facts, rows: readonly ComparisonRow[]): string {
  return [
    ...(facts.after.phase ? [`Phase: **${facts.after.phase}**`] : []),
    inForce(facts),
    '### Key Metrics Comparison',
    comparisonTable(facts, rows),
  ].join('\n\n');
}

/** The settings that the rules go by, and which of them changed. */
function inForce({ settings, assumed, before }: Facts): string {
  const all = { ...settings.rlaif, ...settings.training };
  const shown = [
    'algorithm',
    'reward_weight',
    'kl_penalty',
    'generation_temperature',
    'reward_threshold',
    'best_of_n_training',
    'learning_rate',
  ] as const;
  const was: Partial<typeof all> = { ...before?.settings?.rlaif, ...before?.settings?.training };
  const list = shown.map((key) => {
    const changed = was[key] !== undefined && was[key] !== all[key];
    const from = changed ? ` (from ${settingValue(key, was[key])})` : '';
    return `\`${key}: ${settingValue(key, all[key])}\`${from}`;
  });
  const caution = assumed
    ? '\n\n_The metrics do not carry all settings; what is missing is assumed as in the system that this analysis was first made for._'
    : '';
  return `In force: ${list.join(', ')}${caution}`;
}

const icons: Record<Judgement, string> = { good: '✅', bad: '🔴', note: '⚠️', none: '➖' };

function verdictCell({ judgement, word }: Verdict): string {
  return `${icons[judgement]} **${word}**`;
}

function comparisonTable({ before, after }: Facts, rows: readonly ComparisonRow[]): string {
  const was = before ? `Epoch ${before.epoch} (Before)` : 'Before';
  return markdownTable(
    ['Metric', was, `Epoch ${after.epoch} (After)`, 'Change', 'Status'],
    rows.map((row) => [
      `**${row.label}**`,
      row.before,
      row.after,
      row.change,
      verdictCell(row.verdict),
    ]),
  );
}

const barWidth = 20;

function distribution({ before, after }: Facts): string {
  const bins = after.reward_histogram;
  if (!bins) return '';
  const widest = Math.max(...bins, Number.MIN_VALUE);
  const rows = bins.map((part, bin) => [
    `${fixed(bin / 10, 1)}–${fixed((bin + 1) / 10, 1)}`,
    share(before?.reward_histogram?.[bin]),
    share(part),
    '█'.repeat(Math.round((barWidth * part) / widest)),
  ]);
  return markdownTable(['Reward', 'Before', 'After', ''], rows);
}

function criteria({ before, after }: Facts): string {
  const heldOut = 'eval/rewards/';
  const prefix = Object.keys(after).some((key) => key.startsWith(heldOut)) ? heldOut : 'rewards/';
  const keys = Object.keys(after).filter(
    (key) => key.startsWith(prefix) && !key.endsWith('/std') && !isJudgeNumber(key),
  ) as `rewards/${string}`[];
  if (keys.length === 0) return '';
  const title = prefix === heldOut ? 'Held-out' : 'Samples';
  return markdownTable(
    [title, 'Before', 'After', 'Change'],
    keys.map((key) => criterionRow(key, prefix, before, after)),
  );
}

/** Whether the judges' words can be trusted; judge-summary.ts says how each number comes about. */
function judges({ after }: Facts): string {
  const found = judgesOf(after);
  if (found.length === 0) return '';
  return markdownTable(
    ['Judge', 'Judged twice', 'Rank agreement', 'Kappa', 'Value by place', 'Value by length'],
    found.map(({ name, numbers }) => [
      name,
      share(numbers.second_opinions),
      fixed(numbers.agreement),
      fixed(numbers.kappa),
      fixed(numbers.place_correlation),
      fixed(numbers.length_correlation),
    ]),
  );
}

function criterionRow(
  key: `rewards/${string}`,
  prefix: string,
  before: EpochRecord | undefined,
  after: EpochRecord,
): string[] {
  const [was, is] = [before?.[key], after[key]];
  const known = typeof was === 'number' && typeof is === 'number';
  return [key.slice(prefix.length), fixed(was), fixed(is), known ? signed(is - was) : absent];
}

function noIssue({ before }: Facts): string {
  return before ? 'None.' : 'None to be told yet: this is the first epoch of the history.';
}
