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
import { isPartOf, rerunAfterDamage } from './failures.ts';
import { ignoreSignal, ignoreUnknownSignals } from './ignored-signals.ts';
import { JudgeGate } from './judge-gate.ts';
import { problemOfResumes } from './message-checks.ts';
import { endJudgeSignal, judgeStoppedSignal, retryJudgeSignal } from './messages.ts';
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
  /** Reset the optimiser: a phase with a new reference begins. */
  freshOptimizer: boolean;
  /** Scored shards of the phase's earlier epochs; only if the run refits reward models. */
  verdicts?: ScoredShards[] | undefined;
  /** Refits of reward models just before this epoch; earlier versions left them out if none. */
  refits?: readonly Refit[];
  /** How often users resumed the run after its judge stopped; earlier versions left it out if 0. */
  resumes?: number;
}

export interface EpochResult {
  policy: CheckpointRef;
  metrics: EpochMetrics;
  /** Damage that led to a rerun; earlier versions left it out if none. */
  remade?: string[];
  /** The input's and this epoch's own. */
  verdicts?: ScoredShards[] | undefined;
}

/** Train the policy for one epoch. @returns the new checkpoint and its metrics */
export async function trainingEpoch(input: EpochInput): Promise<EpochResult> {
  const gate = new JudgeGate(input.resumes ?? 0, reportStop);
  setHandler(retryJudgeSignal, (resumes) => {
    const problem = problemOfResumes(resumes);
    if (problem === null || !patched('signals-checked')) gate.retry(resumes);
    else ignoreSignal(retryJudgeSignal.name, problem);
  });
  setHandler(endJudgeSignal, () => gate.end());
  ignoreUnknownSignals('an epoch');
  const remade: string[] = [];
  const result = await rerunAfterDamage(
    () => runStages(input, gate),
    (problem) => {
      remade.push(problem);
      setCurrentDetails(`**Rerunning the epoch.** ${problem}`);
    },
    (path) => !inputsOf(input).some((given) => isPartOf(path, given)),
  );
  const reward = result.metrics['eval/reward'];
  upsertSearchAttributes([{ key: searchKeys.reward, value: reward }]);
  const { run, epoch } = input;
  const { retention } = input.config;
  // Runs that predate retention lack that setting and keep everything.
  if (retention) await prune({ run, epoch, retention });
  const again = remade.map((problem) => `\n\nRerun: ${problem}`).join('');
  setCurrentDetails(`Done: held-out reward **${reward.toFixed(4)}**.${again}`);
  return { ...result, remade };
}

/** The files that the epoch starts from; a rerun cannot repair them. */
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
    run,
    epoch,
    prompts: input.prompts.train,
    scored,
    rlaif,
    listVerdicts: input.verdicts !== undefined,
  });
  const verdicts = batch.verdicts && [...(input.verdicts ?? []), { epoch, shards: batch.verdicts }];
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
        refitting: verdicts && { rewardModels: input.rewardModels ?? {}, verdicts },
      },
    ]);
  // The summary of the samples needs no device, so it is done during training.
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
    refits: input.refits ?? [],
  });
  return { policy: trained.policy, metrics, verdicts };
}

/** Report to the run: it shows the reason, and users resume it. */
async function reportStop(reason: string): Promise<void> {
  setCurrentDetails(`**Paused.** ${reason}`);
  const { parent } = workflowInfo();
  if (parent) await getExternalWorkflowHandle(parent.workflowId).signal(judgeStoppedSignal, reason);
}

const activityNames = {
  train: 'Sampling',
  'held-out': 'Evaluating on held-out prompts',
  greedy: 'Evaluating greedily on held-out prompts',
};

function showShards({ split, shards, generated, scored }: ShardProgress): void {
  setCurrentDetails(
    `${activityNames[split]}: ${generated} of ${shards} shards generated, ${scored} scored.`,
  );
}
