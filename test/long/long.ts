// A run of very many epochs of almost no work: measures its histories, its processes' memory and
// the time of its epochs from first to last, and checks that messages sent meanwhile were handled.

import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import type { EpochMetrics } from '../../src/records/metrics.ts';
import {
  adjustUpdate,
  pauseUpdate,
  resumeUpdate,
  statusQuery,
} from '../../src/workflows/messages.ts';
import { DurableSetting, type Run } from '../integration/durable-run.ts';
import { engineOf, residentMb } from '../model-process.ts';
import { smallPolicy } from './small-policy.ts';

export interface LongReport {
  epochs: number;
  /** Executions of the run's workflow: it continued as new one time fewer. */
  executions: number;
  /** Events of the longest history of a run and of an epoch. */
  events: { run: number; epoch: number };
  /** Medians of the first, the middle and the last tenth. */
  tenths: Tenth[];
  /** Adjustments that were sent, and those with which an epoch was then trained. */
  adjustments: { sent: number; heard: number };
}

/** Medians over a tenth of the epochs. */
interface Tenth {
  /** From one epoch's end to the next. */
  seconds: number;
  /** Time of its analysis, which reads files of earlier epochs. */
  analyzeMs: number;
  /** Resident memory in MB. */
  worker: number;
  engine: number;
}

interface Memory {
  epoch: number;
  worker: number;
  engine: number;
}

const id = 'long';

/** @param epochs at least 30; in every tenth the run is adjusted and paused. */
export async function long(
  epochs: number,
  log: (line: string) => void = () => {},
): Promise<LongReport> {
  const setting = await DurableSetting.open();
  const policy = await smallPolicy();
  try {
    const run = await setting.start(id, runFile(policy, epochs));
    const watched = await watch(setting, run, epochs, log);
    await run.result();
    const metrics = decodeJsonl<EpochMetrics>(await setting.read(id, 'metrics.jsonl'), id);
    const heard = new Set(metrics.map(({ settings }) => settings?.training.learning_rate));
    return {
      epochs: metrics.length - 1,
      ...(await histories(setting, epochs)),
      tenths: await tenthsOf(setting, epochs, watched.memory),
      adjustments: {
        sent: watched.rates.length,
        heard: watched.rates.filter((rate) => heard.has(rate)).length,
      },
    };
  } finally {
    await setting.close();
    await rm(policy, { recursive: true });
  }
}

const runFile = (path: string, epochs: number) => ({
  seed: 1,
  model: { path },
  prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
  engine: { threads: 1 },
  // Every sample is trained on, whatever its reward.
  rlaif: {
    algorithm: 'reinforce',
    prompts_per_epoch: 2,
    num_samples_per_prompt: 2,
    max_new_tokens: 8,
  },
  training: { batch_size: 4, microbatch_size: 4, warmup_steps: 0 },
  evaluation: { prompts: 1, num_samples_per_prompt: 1, greedy: false },
  retention: { keep_last: 2, keep_samples: 2 },
  phases: [{ name: 'only', epochs: [1, epochs] }],
});

/** Until the last epoch runs: sample the memory, and adjust and pause the run from time to time. */
async function watch(
  setting: DurableSetting,
  run: Run,
  epochs: number,
  log: (line: string) => void,
): Promise<{ memory: Memory[]; rates: number[] }> {
  const memory: Memory[] = [];
  const rates: number[] = [];
  const every = Math.floor(epochs / 10);
  for (let epoch = 0; epoch < epochs; await delay(250)) {
    epoch = (await run.query(statusQuery)).epoch ?? 0;
    if (memory.at(-1)?.epoch !== epoch) memory.push(await memoryAt(setting, epoch));
    // Stop before the last epochs: an adjustment needs one that is trained with it.
    if (epoch < every * (rates.length + 1) || epoch > epochs - 2) continue;
    const learning_rate = 1e-4 + 1e-6 * (rates.length + 1);
    await run.executeUpdate(pauseUpdate);
    await run.executeUpdate(adjustUpdate, { args: [{ training: { learning_rate } }] });
    await run.executeUpdate(resumeUpdate);
    rates.push(learning_rate);
    const { worker, engine } = memory.at(-1)!;
    log(`epoch ${epoch}: worker ${worker} MB, engine ${engine} MB`);
  }
  return { memory, rates };
}

async function memoryAt({ worker }: DurableSetting, epoch: number): Promise<Memory> {
  return {
    epoch,
    worker: await residentMb(worker.pid),
    engine: await residentMb(await engineOf(worker.pid)),
  };
}

/** The server's descriptions of all executions, once it lists every one of them. */
async function histories({ client }: DurableSetting, epochs: number) {
  for (;;) {
    const lengths = { trainingRun: [0], trainingEpoch: [0] };
    for await (const { type, historyLength } of client.workflow.list())
      lengths[type as keyof typeof lengths].push(historyLength);
    const { trainingRun, trainingEpoch } = lengths;
    if (trainingEpoch.length > epochs)
      return {
        executions: trainingRun.length - 1,
        events: { run: Math.max(...trainingRun), epoch: Math.max(...trainingEpoch) },
      };
    await delay(500);
  }
}

interface Timing {
  activity: string;
  epoch: number;
  started: string;
  ms: number;
}

async function tenthsOf(
  setting: DurableSetting,
  epochs: number,
  memory: readonly Memory[],
): Promise<Tenth[]> {
  const timings = decodeJsonl<Timing>(await setting.read(id, 'timings.jsonl'), id);
  const analyses = timings.filter(({ activity }) => activity === 'analyze');
  const size = Math.floor(epochs / 10);
  return [1, Math.floor((epochs - size) / 2) + 1, epochs - size + 1].map((first) => {
    const within = ({ epoch }: { epoch: number }) => first <= epoch && epoch < first + size;
    const looks = memory.filter(within);
    const spans = analyses.flatMap((timing, i) =>
      within(timing) && i > 0
        ? [(Date.parse(timing.started) - Date.parse(analyses[i - 1]!.started)) / 1000]
        : [],
    );
    return {
      seconds: median(spans),
      analyzeMs: median(analyses.filter(within).map(({ ms }) => ms)),
      worker: median(looks.map(({ worker }) => worker)),
      engine: median(looks.map(({ engine }) => engine)),
    };
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
