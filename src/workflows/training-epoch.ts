// One epoch as a child workflow: generate → score → filter → train → evaluate → analyze.

import {
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Settings } from '../config/schedule.ts';
import { samplingOf } from '../config/schedule.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef, ScoredShards } from '../records/refs.ts';
import { analyze, evaluate, filter, prune, train } from './activities.ts';
import { isPartOf, remakingDamaged } from './failures.ts';
import { JudgeGate } from './judge-gate.ts';
import { goOnSignal, judgeStoppedSignal } from './messages.ts';
import {
  evaluatePolicy,
  type ShardProgress,
  type Source,
  sampleAndScore,
  sideBySide,
} from './sampling.ts';
import { searchKeys } from './search-attributes.ts';

export interface EpochInput extends Source {
  phase: string;
  settings: Settings;
  reference: CheckpointRef;
  /** Start the optimiser afresh: a phase that took a new reference begins. */
  freshOptimizer: boolean;
  /** Of the phase's epochs before this one; only in a run that refits reward models. */
  verdicts?: ScoredShards[];
  /** Of reward models, just before this epoch. */
  refits?: Refit[];
  /** How often people resumed the run after a judge had stopped it; none where not said. */
  resumes?: number;
}

export interface EpochResult {
  policy: CheckpointRef;
  metrics: EpochMetrics;
  /** What was damaged on the way and made again; none where nothing was. */
  remade?: string[];
  /** Those of the input and this epoch's own. */
  verdicts?: ScoredShards[];
}

/** Train the policy for one epoch. @returns the new checkpoint and a page of numbers. */
export async function trainingEpoch(input: EpochInput): Promise<EpochResult> {
  const gate = new JudgeGate(input.resumes ?? 0, tellRun);
  setHandler(goOnSignal, (resumes) => gate.goOn(resumes));
  const remade: string[] = [];
  const result = await remakingDamaged(
    () => runStages(input, gate),
    (problem) => {
      remade.push(problem);
      setCurrentDetails(`**Making the epoch again.** ${problem}`);
    },
    (path) => !inputsOf(input).some((given) => isPartOf(path, given)),
  );
  const reward = result.metrics['eval/reward'];
  upsertSearchAttributes([{ key: searchKeys.reward, value: reward }]);
  const { run, epoch } = input;
  const { retention } = input.config;
  // A run that began before there was any (its settings do not say) keeps everything.
  if (retention) await prune({ run, epoch, retention });
  const again = remade.map((problem) => `\n\nMade again: ${problem}`).join('');
  setCurrentDetails(`Done: held-out reward **${reward.toFixed(4)}**.${again}`);
  return remade.length > 0 ? { ...result, remade } : result;
}

/** What the epoch was given; it makes none of it. */
function inputsOf({ policy, reference, prompts, rewardModels = {} }: EpochInput) {
  return [policy, reference, ...Object.values(prompts), ...Object.values(rewardModels)];
}

async function runStages(input: EpochInput, gate: JudgeGate): Promise<EpochResult> {
  const { run, epoch, config, settings, reference, freshOptimizer } = input;
  const { seed, engine, success } = config;
  const { rlaif } = settings;
  const sampling = { take: rlaif.prompts_per_epoch, ...samplingOf(rlaif) };
  const scored = await sampleAndScore(input, 'train', sampling, gate, showShards);
  const batch = await filter({
    ...{ run, epoch, prompts: input.prompts.train, scored, rlaif },
    ...(input.verdicts && { listVerdicts: true }),
  });
  const verdicts = batch.verdicts && [...input.verdicts!, { epoch, shards: batch.verdicts }];
  setCurrentDetails(`Training on ${batch.counts.kept} samples.`);
  const training = () =>
    train.executeWithOptions({ summary: `on ${batch.counts.kept} samples` }, [
      {
        run,
        epoch,
        policy: input.policy,
        reference,
        batch: batch.samples,
        promptFormat: config.model.prompt_format,
        settings,
        lora: config.model.lora,
        seed,
        engine,
        freshOptimizer,
        ...(verdicts && { refitting: { rewardModels: input.rewardModels ?? {}, verdicts } }),
      },
    ]);
  // The summary of what was sampled needs no device: it is there before the training is done.
  const [samples, trained] = patched('side-by-side')
    ? await sideBySide(() => Promise.all([evaluate({ run, epoch, scored }), training()]))
    : [scored, await training()];
  const source = { ...input, policy: trained.policy };
  const measured = await evaluatePolicy(source, gate, showShards);
  const metrics = await analyze({
    run,
    epoch,
    phase: input.phase,
    training: { samples, counts: batch.counts, stats: trained.stats, settings },
    ...measured,
    success,
    ...(input.refits && { refits: input.refits }),
  });
  return { policy: trained.policy, metrics, ...(verdicts && { verdicts }) };
}

/** The run shows why an epoch waits, and is what people resume. */
async function tellRun(reason: string): Promise<void> {
  setCurrentDetails(`**Paused.** ${reason}`);
  const { parent } = workflowInfo();
  if (parent) await getExternalWorkflowHandle(parent.workflowId).signal(judgeStoppedSignal, reason);
}

const doing = {
  train: 'Sampling',
  'held-out': 'Evaluating on held-out prompts',
  greedy: 'Evaluating greedily on held-out prompts',
};

function showShards({ split, shards, generated, scored }: ShardProgress): void {
  setCurrentDetails(
    `${doing[split]}: ${generated} of ${shards} shards generated, ${scored} scored.`,
  );
}
