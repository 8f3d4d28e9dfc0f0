// The cost of the durable workflow: the share of an epoch's wall time in which nothing is sampled,
// scored or trained, in total and by place (after which stage). Computed from the timings of a
// default run, or of the run in a given folder:
// `npm run bench -- orchestration --run=runs/two-phase`.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from './figure.ts';

interface Timing {
  activity: string;
  epoch?: number;
  started: string;
  ms: number;
}

interface Span {
  activity: string;
  start: number;
  end: number;
}

const work = ['generate', 'score', 'train'];

function spansOf(timings: readonly Timing[]): Span[] {
  return timings
    .map(({ activity, started, ms }) => {
      const start = Date.parse(started);
      return { activity, start, end: start + ms };
    })
    .sort((a, b) => a.start - b.start);
}

/**
 * Wall time of an epoch in milliseconds, and the part of it without any work, by place. An epoch
 * lasts from its first start to the next epoch's, the last one to its own last end.
 */
function idleIn(spans: readonly Span[], next: readonly Span[] | undefined) {
  const first = spans[0]!.start;
  const last = next ? next[0]!.start : spans.reduce((end, span) => Math.max(end, span.end), first);
  const idle: { place: string; ms: number }[] = [];
  let until: Span = { activity: 'begin', start: first, end: first };
  for (const span of spans.filter(({ activity }) => work.includes(activity))) {
    const place = `${until.activity} to ${span.activity}`;
    if (span.start > until.end) idle.push({ place, ms: span.start - until.end });
    if (span.end > until.end) until = span;
  }
  if (last > until.end)
    idle.push({ place: `${until.activity} to next epoch`, ms: last - until.end });
  return { idle, wall: last - first };
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Start a default run and wait for it. @returns the run's folder */
function runDefault(runsDir: string): string {
  const command = ['bin/anneal.mjs', 'run', 'config/two-phase.yaml', '--name', 'bench'];
  const { status, stderr } = spawnSync(process.execPath, [...command, '--runs-dir', runsDir], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the run failed: ${stderr}`);
  return join(runsDir, 'bench');
}

const given = process.argv.find((flag) => flag.startsWith('--run='))?.slice('--run='.length);
const runsDir = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
try {
  const folder = given ?? runDefault(runsDir);
  const lines = (await readFile(join(folder, 'timings.jsonl'), 'utf8')).trim().split('\n');
  const timings = lines.map((line) => JSON.parse(line) as Timing);
  const byEpoch = [...Map.groupBy(timings, ({ epoch }) => epoch)];
  // The evaluation of the start has no training, so it is not an epoch.
  const epochs = byEpoch
    .map(([, timings]) => spansOf(timings))
    .filter((spans) => spans.some(({ activity }) => activity === 'train'))
    .map((spans, i, all) => idleIn(spans, all[i + 1]));
  const idleOf = ({ idle }: (typeof epochs)[number], place?: string) =>
    idle.reduce(
      (sum, part) => sum + (place === undefined || part.place === place ? part.ms : 0),
      0,
    );
  report(
    'orchestration share of an epoch',
    '%',
    epochs.map((epoch) => (100 * idleOf(epoch)) / epoch.wall),
  );
  report(
    'wall time of an epoch',
    's',
    epochs.map(({ wall }) => wall / 1000),
  );
  const places = new Set(epochs.flatMap(({ idle }) => idle.map(({ place }) => place)));
  for (const place of places)
    report(
      `orchestration, ${place}`,
      'ms',
      epochs.map((epoch) => idleOf(epoch, place)),
    );
} finally {
  await rm(runsDir, { recursive: true });
}
