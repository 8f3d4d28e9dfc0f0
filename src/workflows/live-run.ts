// A run in one execution: its state, the messages that change it, and its display. Only this class
// changes the state; training-run.ts decides what happens next.

import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/contract.ts';
import { renderDetails } from '../analysis/pages/details.ts';
import { firstEpochOf, lastEpochOf, type SettingsChange } from '../config/schedule.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef } from '../records/refs.ts';
import { checkChange } from './activities.ts';
import { plainFailure } from './failures.ts';
import { isJudgeStop, JudgeGate } from './judge-gate.ts';
import { checkAdjustment, problemOfReason } from './message-checks.ts';
import {
  type Adjustment,
  adjustUpdate,
  type EndState,
  endJudgeSignal,
  judgeStoppedSignal,
  pauseUpdate,
  type RunStatus,
  resumeUpdate,
  retryJudgeSignal,
  statusQuery,
  stopUpdate,
} from './messages.ts';
import { shortDetails } from './metadata.ts';
import { rootCause } from './root-cause.ts';
import {
  type CarriedState,
  completeState,
  type Requests,
  type RunState,
  startState,
} from './run-state.ts';
import { searchKeys } from './search-attributes.ts';
import type { EpochInput, EpochResult } from './training-epoch.ts';

/** Epochs whose metrics the state holds; metrics.jsonl has all of them. */
const recentEpochs = 100;
/** Damage reports that the state holds; damage.jsonl has all of them. */
const recentProblems = 20;
/** Notes on signals that were ignored. */
const recentNotes = 5;

/** A run with its message handlers set. */
export class LiveRun {
  readonly run = workflowInfo().workflowId;
  /** Holds what the run itself scores while its judge is stopped; epochs have their own gates. */
  readonly gate: JudgeGate;
  #state: RunState | undefined;
  /** Requests that arrive before there is a state. */
  #requests: Requests = { paused: false, stopping: false };
  #epoch: { epoch: number; phase: string; workflowId: string } | null = null;
  #judgeStop: string | null = null;
  #ignored: readonly string[] = [];
  #end: { state: EndState; failure?: string } | null = null;

  constructor(carried: CarriedState | undefined) {
    this.#state = carried && completeState(carried);
    this.gate = new JudgeGate(this.#state?.resumes ?? 0, (reason) => this.#stopForJudge(reason));
    this.#handleMessages();
    this.#show();
  }

  get hasBegun(): boolean {
    return this.#state !== undefined;
  }

  /** The state since `begin`; a view, to read from only. */
  get state(): Readonly<RunState> {
    return this.#own;
  }

  get #own(): RunState {
    return this.#state!;
  }

  get #wanted(): Requests {
    return this.#state ?? this.#requests;
  }

  /** The run has been prepared. */
  begin(plan: RunPlan): void {
    this.#state = startState(plan, this.#requests);
    this.#show();
  }

  /** The start was measured. */
  adoptStart(metrics: EpochMetrics): void {
    this.#record(metrics);
  }

  /** From now on the current policy is the reference. */
  resetReference(): void {
    this.#own.reference = this.#own.policy;
  }

  /** An epoch's child workflow starts. */
  startEpoch(epoch: number, phase: string, workflowId: string): void {
    this.#epoch = { epoch, phase, workflowId };
    upsertSearchAttributes([
      { key: searchKeys.phase, value: phase },
      { key: searchKeys.epoch, value: epoch },
    ]);
    this.#show();
  }

  /** An epoch has finished: continue from its result. */
  adoptEpoch(input: EpochInput, { policy, metrics, verdicts, remade = [] }: EpochResult): void {
    const state = this.#own;
    const needed = state.origins.filter(({ made }) => made.epoch === input.reference.epoch);
    state.origins = [...needed, { made: policy, input }];
    state.policy = policy;
    state.verdicts = verdicts ?? state.verdicts;
    state.finishedEpochs++;
    this.reportDamage(input.epoch, remade);
    this.#record(metrics);
  }

  /** A reward model was refitted; `model` scores from now on. */
  adoptRefit(model: CheckpointRef, refit: Refit): void {
    const { plan, refits } = this.#own;
    this.#own.plan = { ...plan, rewardModels: { ...plan.rewardModels, [refit.reward]: model } };
    this.#own.refits = [...refits, refit];
    this.#show();
  }

  /** All refits before an epoch are done; the next ones learn from the new phase. */
  finishRefits(): void {
    this.#own.verdicts = [];
  }

  /** Damaged files led to a rerun of an epoch or of a part of it. */
  reportDamage(epoch: number, problems: readonly string[]): void {
    if (problems.length === 0) return;
    const reports = problems.map((problem) => ({ epoch, problem }));
    this.#own.remade = [...this.#own.remade, ...reports].slice(-recentProblems);
    this.#show();
  }

  /** Wait while the run is paused. @returns whether it continues; false if it was stopped */
  async mayContinue(): Promise<boolean> {
    await condition(() => !this.#own.paused || this.#own.stopping);
    return !this.#own.stopping;
  }

  /** Whether `error` ended what the run did because it was stopped while its judge held it. */
  wasStoppedBy(error: unknown): boolean {
    return this.#wanted.stopping && isJudgeStop(plainFailure(error));
  }

  complete(): void {
    this.#endAs({ state: 'completed' });
  }

  /** The run ends without completing. */
  fail(error: unknown): void {
    const failure = rootCause(error);
    this.#endAs({ state: isCancellation(error) ? 'cancelled' : 'failed', failure });
  }

  #endAs(end: { state: EndState; failure?: string }): void {
    this.#end = end;
    this.#judgeStop = null;
    this.#show();
  }

  status(): RunStatus {
    const state = this.#state;
    const config = state?.plan.config;
    const last = state?.metrics.at(-1);
    return {
      run: this.run,
      state: this.#stateName(),
      phase: this.#epoch?.phase ?? last?.phase ?? null,
      epoch: this.#epoch?.epoch ?? last?.epoch ?? null,
      firstEpoch: config ? firstEpochOf(config) : 0,
      lastEpoch: config ? lastEpochOf(config) : 0,
      epochWorkflowId: this.#epoch?.workflowId ?? null,
      metrics: state?.metrics ?? [],
      checkpoint: state?.policy ?? null,
      stopped: this.#judgeStop,
      remade: state?.remade ?? [],
      refits: state?.refits ?? [],
      ...(this.#ignored.length > 0 && { ignored: this.#ignored }),
      ...this.#end,
    };
  }

  #stateName(): RunStatus['state'] {
    const { stopping, paused } = this.#wanted;
    if (stopping) return 'stopping';
    if (paused || this.#judgeStop !== null) return 'paused';
    return this.#state ? 'running' : 'preparing';
  }

  /** Update the panel in the Web UI. */
  #show(): void {
    setCurrentDetails(shortDetails(renderDetails(this.status())));
  }

  /** Add a line of metrics, of the start or of a finished epoch. */
  #record(metrics: EpochMetrics): void {
    const [start, ...epochs] = [...this.#own.metrics, metrics];
    this.#own.metrics = [start!, ...epochs.slice(-recentEpochs)];
    this.#epoch = null;
    upsertSearchAttributes([{ key: searchKeys.reward, value: metrics['eval/reward'] }]);
    this.#show();
  }

  #handleMessages(): void {
    setHandler(statusQuery, () => this.status(), {
      description: 'State, phase, epoch, and the metrics of the finished epochs.',
    });
    setHandler(pauseUpdate, () => this.#request({ paused: true }), {
      description: 'Finish the current epoch, then wait.',
    });
    setHandler(resumeUpdate, () => this.#resume(), {
      description: 'Continue after a pause, or after the judge stopped the run.',
    });
    setHandler(judgeStoppedSignal, (reason) => this.#judgeStopped(reason), {
      description: 'Sent by an epoch of the run: its judge stopped, with the reason.',
    });
    setHandler(stopUpdate, () => this.#stop(), {
      description:
        'Finish the current epoch, then complete the run. If its judge has stopped, complete it at once.',
    });
    setHandler(adjustUpdate, (change) => this.#adjust(change), {
      description: 'Change settings under rlaif and training, from the next epoch on.',
      validator: checkAdjustment,
    });
    setDefaultSignalHandler((name) =>
      this.#ignore(name, 'a run has no such signal; pause, resume, stop and adjust are updates'),
    );
  }

  /** A signal cannot be refused; whoever sent it finds the note. */
  #ignore(signal: string, problem: string): void {
    log.warn('ignoring a signal', { signal, problem });
    this.#ignored = [...this.#ignored, `signal ${signal}: ${problem}`].slice(-recentNotes);
    this.#show();
  }

  #request(requests: Partial<Requests>): RunStatus {
    Object.assign(this.#wanted, requests);
    this.#show();
    return this.status();
  }

  async #stop(): Promise<RunStatus> {
    this.#request({ stopping: true });
    await this.#endJudgeWait();
    return this.status();
  }

  async #judgeStopped(reason: string): Promise<void> {
    const problem = problemOfReason(reason);
    if (problem !== null && patched('signals-checked')) this.#ignore('judgeStopped', problem);
    else await this.#stopForJudge(reason);
  }

  async #stopForJudge(reason: string): Promise<void> {
    this.#judgeStop = reason;
    this.#show();
    await this.#endJudgeWait();
  }

  /** A run that is stopped does not wait for its judge. */
  async #endJudgeWait(): Promise<void> {
    if (!this.#wanted.stopping || this.#judgeStop === null || !patched('stop-ends-judge')) return;
    if (this.#epoch === null) this.gate.end();
    else {
      const epoch = getExternalWorkflowHandle(this.#epoch.workflowId);
      // An epoch that has ended by now needs no signal.
      await epoch.signal(endJudgeSignal).catch(() => {});
    }
  }

  async #resume(): Promise<RunStatus> {
    if (this.#judgeStop !== null) {
      this.#judgeStop = null;
      const resumes = ++this.#own.resumes;
      if (this.#epoch === null) this.gate.retry(resumes);
      else
        await getExternalWorkflowHandle(this.#epoch.workflowId).signal(retryJudgeSignal, resumes);
    }
    return this.#request({ paused: false });
  }

  async #adjust(change: Adjustment): Promise<RunStatus> {
    await condition(() => this.hasBegun);
    const { config, prompts } = this.#own.plan;
    const { count } = prompts.train;
    for (;;) {
      const before = this.#own.change;
      const combined = combine(before, change);
      try {
        await checkChange({ config, change: combined, ...(count && { prompts: count }) });
      } catch (error) {
        throw plainFailure(error);
      }
      // Another adjustment may have been accepted during the check; the two may not go together.
      const isAlone = before === this.#own.change;
      if (!isAlone && patched('adjustments-together')) continue;
      this.#own.change = isAlone ? combined : combine(this.#own.change, change);
      return this.status();
    }
  }
}

function combine(before: SettingsChange, change: Adjustment): SettingsChange {
  return {
    rlaif: { ...before.rlaif, ...change.rlaif },
    training: { ...before.training, ...change.training },
  };
}
