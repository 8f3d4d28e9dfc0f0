// The share of an epoch's wall time in which no activity runs: what the durable workflow costs
// beside model work and scoring. From the timings that a run leaves in its folder.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from './figure.ts';

interface Timing {
  epoch?: number;
  started: string;
  ms: number;
}

/** Milliseconds covered by at least one of the spans, and from the first start to the last end. */
function coverage(timings: readonly Timing[]) {
  const spans = timings
    .map(({ started, ms }) => ({ start: Date.parse(started), end: Date.parse(started) + ms }))
    .sort((a, b) => a.start - b.start);
  let busy = 0;
  let end = spans[0]!.start;
  for (const span of spans) {
    busy += Math.max(0, span.end - Math.max(end, span.start));
    end = Math.max(end, span.end);
  }
  return { busy, wall: end - spans[0]!.start };
}

const root = fileURLToPath(new URL('..', import.meta.url));
const runsDir = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
try {
  const command = ['bin/anneal.mjs', 'run', 'config/two-phase.yaml', '--name', 'bench'];
  const { status, stderr } = spawnSync(process.execPath, [...command, '--runs-dir', runsDir], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the run failed: ${stderr}`);
  const lines = (await readFile(join(runsDir, 'bench/timings.jsonl'), 'utf8')).trim().split('\n');
  const timings = lines.map((line) => JSON.parse(line) as Timing);
  const epochs = [...Map.groupBy(timings, ({ epoch }) => epoch)].filter(([epoch]) => epoch);
  const covered = epochs.map(([, spans]) => coverage(spans));
  report(
    'orchestration share of an epoch',
    '%',
    covered.map(({ busy, wall }) => 100 * (1 - busy / wall)),
  );
  report(
    'orchestration, an epoch',
    's',
    covered.map(({ busy, wall }) => (wall - busy) / 1000),
  );
  report(
    'wall time of an epoch',
    's',
    covered.map(({ wall }) => wall / 1000),
  );
} finally {
  await rm(runsDir, { recursive: true });
}
