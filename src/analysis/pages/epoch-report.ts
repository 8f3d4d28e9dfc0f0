// The analysis page of an epoch, as Markdown. ../diagnosis decides what it says; advice.ts writes the
// recommendations.

import { AnnealError } from '../../errors.ts';
import type { ComparisonRow, Judgement, Status } from '../diagnosis/comparison.ts';
import { type Diagnosis, diagnose } from '../diagnosis/diagnosis.ts';
import type { DiagnosisInput, Facts } from '../diagnosis/epoch-facts.ts';
import { recommend } from '../diagnosis/recommendations.ts';
import { absent, fixed, settingValue, share, signed } from '../format.ts';
import type { EpochRecord } from '../metrics/history.ts';
import { isJudgeNumber, judgesOf } from '../metrics/judge-summary.ts';
import { adviceSections } from './advice.ts';
import {
  conditionsSection,
  critical,
  headed,
  markdownTable,
  numbered,
  renderPage,
  type Section,
} from './markdown.ts';

/**
 * The page of one epoch compared with the one before it.
 * @throws AnnealError InvalidData if the history does not contain the epoch.
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

/** The results of an epoch, from the table to the causes. */
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
    `expected an epoch with metrics, found ${epoch}. Epochs with metrics: ${known}.`,
  );
}

function results(facts: Facts, rows: readonly ComparisonRow[]): string {
  return [
    ...(facts.after.phase ? [`Phase: **${facts.after.phase}**`] : []),
    settingsLine(facts),
    '### Key Metrics Comparison',
    comparisonTable(facts, rows),
  ].join('\n\n');
}

/** The settings that the rules use, and which of them changed. */
function settingsLine({ settings, assumed, before }: Facts): string {
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
    ? '\n\n_The metrics do not record all settings; missing ones are assumed to be those of the system that this analysis was first written for._'
    : '';
  return `Settings: ${list.join(', ')}${caution}`;
}

const icons: Record<Judgement, string> = { good: '✅', bad: '🔴', note: '⚠️', none: '➖' };

function statusCell({ judgement, text }: Status): string {
  return `${icons[judgement]} **${text}**`;
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
      statusCell(row.status),
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

/** How reliable the judges are; judge-summary.ts defines each metric. */
function judges({ after }: Facts): string {
  const found = judgesOf(after);
  if (found.length === 0) return '';
  return markdownTable(
    ['Judge', 'Judged twice', 'Rank agreement', 'Kappa', 'Value by position', 'Value by length'],
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
  return before ? 'None.' : 'None known yet: this is the first epoch of the history.';
}
