// What the sections of a run file must agree on. Each check reports its own problems.

import type { z } from 'zod';
import type { PhaseConfig } from './phases.ts';
import { checkRamps } from './ramps.ts';
import type { RetentionConfig } from './retention.ts';
import type { RewardConfig } from './rewards.ts';
import { type RlaifConfig, rlaifSchema } from './rlaif.ts';
import { type TrainingConfig, trainingSchema } from './training.ts';

/** The sections that the checks compare. */
interface Sections {
  phases: PhaseConfig[];
  rewards: RewardConfig[];
  retention: RetentionConfig | null;
  rlaif: RlaifConfig;
  training: TrainingConfig;
}

/** Reports a problem at a place of the run file. */
type Report = (path: PropertyKey[], message: string) => void;

/** Report everything in a run file that does not fit together. */
export function checkRun(run: Sections, context: z.RefinementCtx): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  run.phases.forEach((phase, index) => {
    checkEpochs(phase, run.phases[index - 1], index, report);
    checkPhaseName(run.phases, index, report);
    checkRamps(phase.rlaif, rlaifSchema, phase, ['phases', index, 'rlaif'], context);
    checkRamps(phase.training, trainingSchema, phase, ['phases', index, 'training'], context);
  });
  checkRefitJudges(run, report);
  checkRefitSamples(run, report);
  checkWeights(run, report);
  checkBatchSize(run, report);
  checkKlTarget(run, report);
  checkCosine(run, report);
}

/** Epochs run upwards and follow those of the phase before. */
function checkEpochs(
  { epochs: [first, last] }: PhaseConfig,
  before: PhaseConfig | undefined,
  index: number,
  report: Report,
): void {
  const path = ['phases', index, 'epochs'];
  if (last < first) report(path, `ends (${last}) before it begins (${first})`);
  if (!before || first === before.epochs[1] + 1) return;
  const { name, epochs } = before;
  report(
    path,
    first <= epochs[1]
      ? `overlaps phase '${name}', which runs to epoch ${epochs[1]}`
      : `leaves a gap after phase '${name}', which ends at epoch ${epochs[1]}`,
  );
}

function checkPhaseName(phases: readonly PhaseConfig[], index: number, report: Report): void {
  const { name } = phases[index]!;
  if (phases.findIndex((other) => other.name === name) !== index)
    report(['phases', index, 'name'], `'${name}' is used twice`);
}

/** A refit compares programs by the values of another reward of the run. */
function checkRefitJudges({ rewards }: Sections, report: Report): void {
  rewards.forEach((reward, index) => {
    if (reward.kind !== 'reward_model' || !reward.refit) return;
    const others = rewards.flatMap(({ name }) => (name === reward.name ? [] : [name]));
    if (others.includes(reward.refit.judge)) return;
    const known = others.join(', ') || 'there is none; add one, of weight 0 if it is only to judge';
    report(
      ['rewards', index, 'refit', 'judge'],
      `expected the name of another reward (${known}), found '${reward.refit.judge}'`,
    );
  });
}

/** A refit learns from all samples of the phase before it. */
function checkRefitSamples({ phases, rewards, retention }: Sections, report: Report): void {
  const keepSamples = retention?.keep_samples ?? null;
  const longest = Math.max(...phases.map(({ epochs: [first, last] }) => last - first + 1));
  const refits = rewards.some((reward) => reward.kind === 'reward_model' && reward.refit);
  if (refits && keepSamples !== null && keepSamples < longest)
    report(
      ['retention', 'keep_samples'],
      `expected the epochs of the longest phase (${longest}) or more, since reward models are refitted on a phase's samples, found ${keepSamples}`,
    );
}

function checkWeights({ rewards }: Sections, report: Report): void {
  if (rewards.every(({ weight }) => weight === 0))
    report(['rewards'], 'expected one with a weight over 0, or nothing is there to learn');
}

function checkBatchSize({ training }: Sections, report: Report): void {
  const { batch_size, microbatch_size } = training;
  if (batch_size % microbatch_size !== 0)
    report(
      ['training', 'batch_size'],
      `must be a multiple of microbatch_size (${microbatch_size}), found ${batch_size}`,
    );
}

function checkKlTarget({ rlaif }: Sections, report: Report): void {
  if (rlaif.kl_target !== null && rlaif.kl_placement !== 'k2_loss')
    report(
      ['rlaif', 'kl_target'],
      'goes with kl_placement k2_loss: it acts from step to step, and rewards are given once',
    );
}

function checkCosine({ training }: Sections, report: Report): void {
  if (training.schedule === 'cosine' && training.decay_steps === null)
    report(['training', 'decay_steps'], 'must be a number of steps for a cosine schedule');
}
