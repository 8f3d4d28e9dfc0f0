// Checks between the sections of a run file. Each reports its own problems.

import type { z } from 'zod';
import { scoringModel, scoringModels } from '../reward-traits.ts';
import type { EngineConfig } from './engine.ts';
import type { EvaluationConfig } from './evaluation.ts';
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
  engine: EngineConfig;
  evaluation: EvaluationConfig;
}

/** Reports a problem at a place of the run file. */
type Report = (path: PropertyKey[], message: string) => void;

/** Report every conflict between sections. */
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
  checkShards(run, report);
}

/** Activities that a workflow may have pending; the server's limit is 2,000. */
const mostShards = 1900;

/** All shards of a split are in work at the same time; those of held-out prompts twice, if greedy. */
function checkShards({ engine, evaluation, rlaif }: Sections, report: Report): void {
  const heldOut = (evaluation.greedy ? 2 : 1) * evaluation.prompts;
  const prompts = Math.max(rlaif.prompts_per_epoch, heldOut);
  const least = Math.ceil(prompts / mostShards);
  if (engine.shard_prompts < least)
    report(
      ['engine', 'shard_prompts'],
      `expected at least ${least}, because an epoch cannot have more than ${mostShards} shards in work at a time and samples ${prompts} prompts; found ${engine.shard_prompts}`,
    );
}

/** Epochs ascend, and follow those of the phase before. */
function checkEpochs(
  { epochs: [first, last] }: PhaseConfig,
  before: PhaseConfig | undefined,
  index: number,
  report: Report,
): void {
  const path = ['phases', index, 'epochs'];
  if (last < first)
    report(path, `expected the first epoch before the last, found [${first}, ${last}]`);
  if (!before || first === before.epochs[1] + 1) return;
  const { name, epochs } = before;
  report(
    path,
    first <= epochs[1]
      ? `overlaps phase '${name}', which ends at epoch ${epochs[1]}`
      : `leaves a gap after phase '${name}', which ends at epoch ${epochs[1]}`,
  );
}

function checkPhaseName(phases: readonly PhaseConfig[], index: number, report: Report): void {
  const { name } = phases[index]!;
  if (phases.findIndex((other) => other.name === name) !== index)
    report(
      ['phases', index, 'name'],
      `expected a different name for each phase, found '${name}' twice`,
    );
}

/** A refit ranks programs by the values of another reward of the run. */
function checkRefitJudges({ rewards }: Sections, report: Report): void {
  rewards.forEach((reward, index) => {
    const refit = scoringModel(reward)?.refit;
    if (!refit) return;
    const others = rewards.flatMap(({ name }) => (name === reward.name ? [] : [name]));
    if (others.includes(refit.judge)) return;
    const known =
      others.join(', ') || 'there is no other: add one, with weight 0 if it should only judge';
    report(
      ['rewards', index, 'refit', 'judge'],
      `expected the name of another reward (${known}), found '${refit.judge}'`,
    );
  });
}

/** A refit learns from all samples of the phase before it. */
function checkRefitSamples({ phases, rewards, retention }: Sections, report: Report): void {
  const keepSamples = retention?.keep_samples ?? null;
  const longest = Math.max(...phases.map(({ epochs: [first, last] }) => last - first + 1));
  const refits = scoringModels(rewards).some(({ refit }) => refit);
  if (refits && keepSamples !== null && keepSamples < longest)
    report(
      ['retention', 'keep_samples'],
      `expected at least ${longest}, the epochs of the longest phase, because reward models are refitted on the samples of a whole phase; found ${keepSamples}`,
    );
}

function checkWeights({ rewards }: Sections, report: Report): void {
  if (rewards.every(({ weight }) => weight === 0))
    report(
      ['rewards'],
      'expected at least one with a weight above 0: otherwise the policy has nothing to learn from',
    );
}

function checkBatchSize({ training }: Sections, report: Report): void {
  const { batch_size, microbatch_size } = training;
  if (batch_size % microbatch_size !== 0)
    report(
      ['training', 'batch_size'],
      `expected a multiple of microbatch_size (${microbatch_size}), found ${batch_size}`,
    );
}

function checkKlTarget({ rlaif }: Sections, report: Report): void {
  if (rlaif.kl_target !== null && rlaif.kl_placement !== 'k2_loss')
    report(
      ['rlaif', 'kl_target'],
      'expected kl_placement k2_loss with a kl_target: the target rescales the penalty at every step, but a penalty in the reward is computed once per epoch',
    );
}

function checkCosine({ training }: Sections, report: Report): void {
  if (training.schedule === 'cosine' && training.decay_steps === null)
    report(
      ['training', 'decay_steps'],
      'expected a number of steps, because schedule is cosine; found null',
    );
}
