// The page of a whole run: all epochs in one table, held-out reward at start and end, success
// metrics, and the last epoch's diagnosis.

import { AnnealError } from '../../errors.ts';
import { diagnose } from '../diagnosis/diagnosis.ts';
import { type DiagnosisInput, numberOf } from '../diagnosis/epoch-facts.ts';
import { recommend } from '../diagnosis/recommendations.ts';
import { successMetrics } from '../diagnosis/success.ts';
import { absent, fixed, moved, settingValue, share, sparkline } from '../format.ts';
import { type EpochRecord, type NumberMetric, passMetrics } from '../metrics/history.ts';
import { renderSuccess } from './advice.ts';
import { epochColumns, epochRow } from './epoch-table.ts';
import { bulletList, conditionsSection, markdownTable, numbered, renderPage } from './markdown.ts';
import { refitTable } from './refits.ts';

/** The input of a run's page. */
export interface RunReportInput extends Omit<DiagnosisInput, 'epoch'> {
  /** Name of the run, for the title. */
  name?: string;
}

/**
 * The page of a run, finished or not.
 * @throws AnnealError InvalidData if the history is empty.
 */
export function renderRunReport({ name, ...input }: RunReportInput): string {
  const history = [...input.history].sort((a, b) => a.epoch - b.epoch);
  const last = history.at(-1);
  if (!last)
    throw new AnnealError(
      'InvalidData',
      'expected the metrics of at least one epoch, found none. Wait until the first epoch ends.',
    );
  return renderPage(name ? `Training Report - ${name}` : 'Training Report', [
    { title: 'Start and Now', body: journey(history) },
    { title: 'Epochs', body: markdownTable(epochColumns, history.map(epochRow)) },
    { title: 'Phases', body: phases(history) },
    { title: 'Policy After Each Phase', body: policies(history) },
    { title: 'Refits of Reward Models', body: refitTable(history) },
    { title: 'Success Metrics', body: renderSuccess(successMetrics(last, input.success)) },
    {
      title: `Diagnosis of Epoch ${last.epoch}`,
      body: lastDiagnosis({ ...input, epoch: last.epoch }),
    },
    conditionsSection(input),
  ]);
}

const journeyMetrics: readonly (readonly [NumberMetric, string])[] = [
  ['eval/reward', 'Held-out average reward'],
  ['eval/best_of_n_reward', 'Held-out best-of-N reward'],
  ['eval/pass_rate', 'Held-out pass rate'],
  ['reward', 'Average reward of the samples'],
  ['best_of_n_reward', 'Best-of-N reward of the samples'],
];

function journey(history: readonly EpochRecord[]): string {
  return bulletList(journeyMetrics.flatMap(([metric, label]) => trend(history, metric, label)));
}

function trend(history: readonly EpochRecord[], metric: NumberMetric, label: string): string[] {
  const values = history.map((line) => numberOf(line, metric));
  const known = values.filter((value) => value !== undefined);
  const [before, after] = [known[0], known.at(-1)];
  if (before === undefined || after === undefined) return [];
  const percent = before === 0 ? null : (100 * (after - before)) / before;
  return [`**${label}**: ${moved({ before, after, percent })} \`${sparkline(values)}\``];
}

/** The policies at the start and after each phase, one column each. */
function policies(history: readonly EpochRecord[]): string {
  const lines = [...Map.groupBy(history, ({ phase }) => phase ?? '').values()].map(
    (phase) => phase.at(-1)!,
  );
  const metrics: (readonly [NumberMetric, string, (value: number | undefined) => string])[] = [
    ...passMetrics(lines.at(-1)!).map(
      (metric) => [metric, metric.replace('eval/', 'Held-out '), share] as const,
    ),
    ['eval/greedy/reward', 'Held-out greedy reward', fixed],
    ['eval/greedy/pass_rate', 'Held-out greedy pass rate', share],
    ['entropy', "Entropy at the phase's temperature, nats", fixed],
  ];
  const rows = metrics
    .map(([metric, label, text]) => [label, ...lines.map((line) => text(numberOf(line, metric)))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== absent));
  if (rows.length === 0) return '';
  return markdownTable(['', ...lines.map(({ epoch, phase }) => `${phase ?? ''} ${epoch}`)], rows);
}

function phases(history: readonly EpochRecord[]): string {
  const groups = [...Map.groupBy(history, ({ phase }) => phase ?? '')].filter(
    ([phase]) => phase !== '' && phase !== 'start',
  );
  const rows = groups.map(([phase, lines]) => {
    const rlaif = lines.at(-1)?.settings?.rlaif;
    return [
      phase,
      `${lines[0]!.epoch}–${lines.at(-1)!.epoch}`,
      rlaif?.kl_penalty === undefined ? absent : String(rlaif.kl_penalty),
      rlaif?.generation_temperature === undefined
        ? absent
        : settingValue('generation_temperature', rlaif.generation_temperature),
      sparkline(lines.map((line) => numberOf(line, 'eval/reward') ?? numberOf(line, 'reward'))),
      share(numberOf(lines.at(-1), 'diversity')),
    ];
  });
  if (rows.length === 0) return '';
  return markdownTable(
    ['Phase', 'Epochs', 'KL penalty', 'Temperature', 'Reward', 'Unique at end'],
    rows,
  );
}

function lastDiagnosis(input: DiagnosisInput): string {
  const diagnosis = diagnose(input);
  if (!diagnosis) return '';
  const proposals = recommend(diagnosis).map(({ title }, i) => `${i + 1}. ${title}`);
  const parts: [string, string][] = [
    ["What's working ✅", numbered(diagnosis.working)],
    ['Critical issues 🔴', numbered(diagnosis.issues) || 'None.'],
    ['Warnings ⚠️', numbered(diagnosis.warnings)],
    ['Root causes', numbered(diagnosis.causes)],
    ['Recommended', proposals.join('\n')],
  ];
  return parts
    .filter(([, body]) => body !== '')
    .map(([title, body]) => `### ${title}\n\n${body}`)
    .join('\n\n');
}
