// Kills worker, engine and server of a short run at random, and compares its result with that of
// the undisturbed run. `npm run chaos -- --kills 30 --seed N`; the integration suite makes a few
// kills.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import { uniforms } from '../../src/engine/sampling/random.ts';
import { statusQuery } from '../../src/workflows/messages.ts';
import { DurableSetting, type Run, shortRun } from '../integration/durable-run.ts';
import { engineOf } from '../model-process.ts';

const targets = ['worker', 'engine', 'server'] as const;
type Target = (typeof targets)[number];

export interface Kill {
  target: Target;
  /** Seconds into the run. */
  at: number;
  /** Seconds from the kill until an activity was running again, or the run had ended. */
  resumed: number;
}

/** A run's result: hashes of its last checkpoint and of its metrics. */
export interface Ending {
  checkpoint: string;
  metrics: string;
  /** Wall time in seconds. */
  wall: number;
  /** Activities that took more than one attempt. */
  retried: number;
}

export interface ChaosReport {
  calm: Ending;
  disturbed: Ending[];
  kills: Kill[];
}

/**
 * Complete a short run undisturbed, then repeat it with kills until all of them are done.
 * @param seed for the times and the targets of the kills.
 */
export async function chaos(
  kills: number,
  seed: number,
  log: (line: string) => void = () => {},
): Promise<ChaosReport> {
  const setting = await DurableSetting.open();
  try {
    const draw = uniforms(`chaos/${seed}`);
    const calm = await endOf(setting, 'calm', await setting.start('calm', shortRun));
    log(`calm: ${calm.wall.toFixed(1)} s, checkpoint ${calm.checkpoint.slice(0, 16)}`);
    const report: ChaosReport = { calm, disturbed: [], kills: [] };
    while (report.kills.length < kills) {
      const id = `disturbed-${report.disturbed.length + 1}`;
      const run = await setting.start(id, shortRun);
      const ending = endOf(setting, id, run);
      let ended = false;
      const watch = ending.finally(() => {
        ended = true;
      });
      const started = Date.now();
      while (report.kills.length < kills) {
        await Promise.race([delay(500 + 5500 * draw()), watch]);
        if (ended) break;
        const target = targets[Math.floor(targets.length * draw())]!;
        const at = (Date.now() - started) / 1000;
        if (!(await kill(setting, target))) continue;
        const resumed = await resumedAfter(setting, run, () => ended);
        report.kills.push({ target, at, resumed });
        log(`${id}, ${at.toFixed(1)} s: ${target} killed, resumed after ${resumed.toFixed(1)} s`);
      }
      report.disturbed.push(await ending);
      log(`${id}: checkpoint ${report.disturbed.at(-1)!.checkpoint.slice(0, 16)}`);
    }
    return report;
  } finally {
    await setting.close();
  }
}

async function endOf(setting: DurableSetting, id: string, run: Run): Promise<Ending> {
  const started = Date.now();
  const { checkpoint } = await run.result();
  const timings = decodeJsonl<{ attempt: number }>(await setting.read(id, 'timings.jsonl'), id);
  return {
    checkpoint: checkpoint.sha256,
    metrics: createHash('sha256')
      .update(await setting.read(id, 'metrics.jsonl'))
      .digest('hex'),
    wall: (Date.now() - started) / 1000,
    retried: timings.filter(({ attempt }) => attempt > 1).length,
  };
}

/** SIGKILL a process. @returns false if there is none at the moment. */
async function kill(setting: DurableSetting, target: Target): Promise<boolean> {
  if (target === 'server') setting.killServer();
  else if (target === 'worker') {
    if (setting.worker.pid === undefined) return false;
    setting.killWorker();
  } else {
    const pid = await engineOf(setting.worker.pid);
    if (pid === undefined) return false;
    process.kill(pid, 'SIGKILL');
  }
  return true;
}

/** Seconds until a new activity has started, or the run has ended. */
async function resumedAfter(
  setting: DurableSetting,
  run: Run,
  hasEnded: () => boolean,
): Promise<number> {
  const killed = Date.now();
  for (;;) {
    await delay(50);
    const seconds = (Date.now() - killed) / 1000;
    if (hasEnded() || (await startedSince(setting, run, killed).catch(() => false))) return seconds;
  }
}

async function startedSince({ client }: DurableSetting, run: Run, since: number) {
  const status = await client.withDeadline(Date.now() + 1000, () => run.query(statusQuery));
  const busy = client.workflow.getHandle(status.epochWorkflowId ?? run.workflowId);
  const { raw } = await client.withDeadline(Date.now() + 1000, () => busy.describe());
  const starts = (raw.pendingActivities ?? []).map(({ lastStartedTime: start }) =>
    start ? Number(start.seconds) * 1000 + (start.nanos ?? 0) / 1e6 : 0,
  );
  return starts.some((start) => start > since);
}
