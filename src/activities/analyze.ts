// Writes an epoch's line of metrics.jsonl, its TensorBoard events, and its report.

import { startMetrics, toEpochMetrics } from '../analysis/metrics/epoch-metrics.ts';
import { parseMetricsJsonl } from '../analysis/metrics/history.ts';
import { summarizeSamples } from '../analysis/metrics/sample-summary.ts';
import { renderEpochReport } from '../analysis/pages/epoch-report.ts';
import { renderRunReport } from '../analysis/pages/run-report.ts';
import { mendDocument, readVerified, writeDocument } from '../artifacts/documents.ts';
import { decodeJsonl, encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import { encodeEvents, type Scalar } from '../artifacts/tensorboard.ts';
import { parseRunConfig } from '../config/load.ts';
import type { EpochMetrics } from '../records/metrics.ts';
import type { StepMetrics } from '../rl/policy/job.ts';
import { type ActivityScope, runActivity } from './activity.ts';
import type { AnalyzeInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { environmentNotes } from './environment.ts';
import { readScored } from './samples.ts';

export function analyzeWith(dependencies: Dependencies) {
  return async function analyze(input: AnalyzeInput): Promise<EpochMetrics> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, { epoch: input.epoch }, async (scope) => {
      const metrics = await measure(store, input);
      const history = withLine(await readHistory(store), metrics);
      for (const path of [layout.config, layout.metrics]) await mend(store, path, scope);
      await writeDocument(store, layout.metrics, encodeJsonl(history));
      await writeEvents(store, history, input.epoch, scope);
      if (input.training) await writeReports(store, history, input);
      return metrics;
    });
  };
}

async function measure(store: Store, input: AnalyzeInput): Promise<EpochMetrics> {
  const { epoch, phase, training, evaluation: heldOut, greedy = null, refits } = input;
  if (training === null) return startMetrics(epoch, heldOut, greedy);
  const { samples, ...record } = training;
  const train = Array.isArray(samples)
    ? summarizeSamples(await readScored(store, samples))
    : samples;
  return toEpochMetrics({ ...record, epoch, phase, train, heldOut, greedy, refits });
}

async function readHistory(store: Store): Promise<EpochMetrics[]> {
  return parseMetricsJsonl((await readVerified(store, layout.metrics)) ?? '', layout.metrics);
}

/** Repair a document from its copy, and report it. */
async function mend(store: Store, path: string, scope: ActivityScope): Promise<void> {
  if (await mendDocument(store, path))
    await scope.reportDamage(
      `${path} was changed, missing or cut short; it was restored from its copy`,
    );
}

/** Replaces a line of the same epoch, because the activity may run twice. */
function withLine(history: EpochMetrics[], line: EpochMetrics): EpochMetrics[] {
  const others = history.filter(({ epoch }) => epoch !== line.epoch);
  return [...others, line].sort((a, b) => a.epoch - b.epoch);
}

/** Write the epoch's event file, and any that are missing after a run took over a history. */
async function writeEvents(
  store: Store,
  history: readonly EpochMetrics[],
  epoch: number,
  scope: ActivityScope,
): Promise<void> {
  const existing = (await store.list(layout.allEvents)).map(
    (name) => `${layout.allEvents}/${name}`,
  );
  for (const [path, lines] of Map.groupBy(history, (line) => layout.events(line.epoch))) {
    if (existing.includes(path) && path !== layout.events(epoch)) continue;
    for (const line of lines) await mend(store, layout.steps(line.epoch), scope);
    await store.write(path, encodeEvents(await scalarsOf(store, lines)));
  }
}

/** Every number of the epochs, and of the steps that this run took. */
async function scalarsOf(store: Store, lines: readonly EpochMetrics[]): Promise<Scalar[]> {
  const scalars: Scalar[] = [];
  for (const line of lines) {
    scalars.push(...numbersOf('epoch', line.epoch, line));
    const text = (await readVerified(store, layout.steps(line.epoch))) ?? '';
    for (const step of decodeJsonl<StepMetrics>(text, layout.steps(line.epoch)))
      scalars.push(...numbersOf('train', step.step, step));
  }
  return scalars;
}

function numbersOf(prefix: string, step: number, line: object): Scalar[] {
  return Object.entries(line).flatMap(([name, value]) =>
    typeof value === 'number' && name !== 'step' && name !== 'epoch'
      ? [{ tag: `${prefix}/${name}`, step, value }]
      : [],
  );
}

async function writeReports(
  store: Store,
  history: EpochMetrics[],
  { run: name, epoch, success }: AnalyzeInput,
): Promise<void> {
  const config = parseRunConfig(await readVerified(store, layout.config));
  const about = { history, success, config, conditions: await environmentNotes(store) };
  await store.write(layout.epochReport(epoch), renderEpochReport({ ...about, epoch }));
  await store.write(layout.runReport, renderRunReport({ ...about, name }));
}
