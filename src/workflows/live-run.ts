// The state of a live run: what it carries from epoch to epoch, what people told it, and how it
// shows itself. training-run.ts decides by it.

import {
  condition,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/contract.ts';
import { renderDetails } from '../analysis/pages/details.ts';
import { firstEpochOf, lastEpochOf, type SettingsChange } from '../config/schedule.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef, ScoredShards } from '../records/refs.ts';
import { checkChange } from './activities.ts';
import { plainFailure } from './failures.ts';
import { JudgeGate } from './judge-gate.ts';
import {
  type Adjustment,
  adjustUpdate,
  goOnSignal,
  judgeStoppedSignal,
  pauseUpdate,
  type Remade,
  type RunStatus,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from './messages.ts';
import { searchKeys } from './search-attributes.ts';
import type { EpochInput } from './training-epoch.ts';

/** Epochs whose metrics a run keeps at hand; metrics.jsonl has them all. */
const recentEpochs = 100;
/** And how many of the problems that it mended; damage.jsonl has them all. */
const recentProblems = 20;

/** What people asked of the run. */
interface Asked {
  paused: boolean;
  stopping: boolean;
}

/** What a run carries on: over epochs, and where it continues as a new execution. */
export interface RunState extends Asked {
  plan: RunPlan;
  policy: CheckpointRef;
  reference: CheckpointRef;
  /** The start line and the latest epochs, oldest first. */
  metrics: EpochMetrics[];
  finishedEpochs: number;
  change: SettingsChange;
  /** Of the phase's epochs so far; only of a run that refits reward models. */
  verdicts?: ScoredShards[];
  /** Of all phases, oldest first. */
  refits?: Refit[];
  /** How often it was resumed after a judge had stopped it; none where not said. */
  resumes?: number;
  /** Of policy and reference, where epochs of this run made them: to make them again by. */
  origins?: { made: CheckpointRef; input: EpochInput }[];
  /** What was damaged and made again, the latest last; none where nothing was. */
  remade?: Remade[];
}

/** A run as it lives in one execution, with its message handlers set. */
export class LiveRun {
  readonly run = workflowInfo().workflowId;
  #state: RunState | undefined;
  #ended = false;
  #epoch: { epoch: number; phase: string; workflowId: string } | null = null;
  /** What people asked for before there was a plan counts too. */
  #asked: Asked = { paused: false, stopping: false };

  #stopped: string | null = null;
  /** For what the run itself has scored; an epoch has a gate of its own. */
  readonly gate: JudgeGate;

  constructor(carried: RunState | undefined) {
    this.#state = carried;
    this.gate = new JudgeGate(carried?.resumes ?? 0, (reason) => this.#stop(reason));
    this.#handleMessages();
    this.show();
  }

  /** The state, once `begin` has set it. */
  get state(): RunState {
    return this.#state!;
  }

  get begun(): boolean {
    return this.#state !== undefined;
  }

  begin(plan: RunPlan): void {
    const { history, verdicts, ...inputs } = plan;
    const { policy, reference } = inputs;
    this.#state = {
      plan: { ...inputs, history: [] },
      ...{ policy, reference, metrics: [...history], finishedEpochs: 0, change: {} },
      ...(verdicts && { verdicts }),
      ...this.#asked,
    };
    this.show();
  }

  /** An epoch's child workflow starts. */
  enter(epoch: number, phase: string, workflowId: string): void {
    this.#epoch = { epoch, phase, workflowId };
    upsertSearchAttributes([
      { key: searchKeys.phase, value: phase },
      { key: searchKeys.epoch, value: epoch },
    ]);
    this.show();
  }

  /** A line of metrics is there: of an epoch that is done, or of the start. */
  record(metrics: EpochMetrics): void {
    const [start, ...epochs] = [...this.state.metrics, metrics];
    this.state.metrics = [start!, ...epochs.slice(-recentEpochs)];
    this.#epoch = null;
    upsertSearchAttributes([{ key: searchKeys.reward, value: metrics['eval/reward'] }]);
    this.show();
  }

  /** Files of an epoch were damaged, and were made again. */
  tellRemade(epoch: number, problems: readonly string[]): void {
    if (problems.length === 0) return;
    const told = problems.map((problem) => ({ epoch, problem }));
    this.state.remade = [...(this.state.remade ?? []), ...told].slice(-recentProblems);
    this.show();
  }

  /** A reward model was refitted: what scores from now on, and what came of it. */
  refitted(model: CheckpointRef, refit: Refit): void {
    const { plan, refits = [] } = this.state;
    plan.rewardModels = { ...plan.rewardModels, [refit.reward]: model };
    this.state.refits = [...refits, refit];
    this.show();
  }

  end(): void {
    this.#ended = true;
    this.show();
  }

  /** Wait while the run is paused. @returns whether another epoch may start. */
  async mayGoOn(): Promise<boolean> {
    await condition(() => !this.state.paused || this.state.stopping);
    return !this.state.stopping;
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
      stopped: this.#stopped,
      ...(state?.remade && { remade: state.remade }),
      ...(state?.refits && { refits: state.refits }),
    };
  }

  /** Bring the panel in the Web UI up to date. */
  show(): void {
    setCurrentDetails(renderDetails(this.status()));
  }

  #stateName(): RunStatus['state'] {
    if (this.#ended) return 'completed';
    const asked = this.#state ?? this.#asked;
    if (asked.stopping) return 'stopping';
    if (asked.paused || this.#stopped !== null) return 'paused';
    return this.#state ? 'running' : 'preparing';
  }

  #handleMessages(): void {
    setHandler(statusQuery, () => this.status(), {
      description: 'Where the run stands: phase, epoch, metrics of the finished epochs.',
    });
    setHandler(pauseUpdate, () => this.#ask({ paused: true }), {
      description: 'Finish the epoch in progress, then wait.',
    });
    setHandler(resumeUpdate, () => this.#resume(), {
      description: 'Go on after a pause, or after a judge had stopped the run.',
    });
    setHandler(judgeStoppedSignal, (reason) => this.#stop(reason), {
      description: 'From an epoch of the run: a judge stopped it, and why.',
    });
    setHandler(stopUpdate, () => this.#ask({ stopping: true }), {
      description: 'Finish the epoch in progress, then end the run as completed.',
    });
    setHandler(adjustUpdate, (change) => this.#adjust(change), {
      description: 'Change settings under rlaif and training from the next epoch on.',
      validator: checkAdjustmentShape,
    });
  }

  #ask(asked: Partial<Asked>): RunStatus {
    Object.assign(this.#state ?? this.#asked, asked);
    this.show();
    return this.status();
  }

  #stop(reason: string): void {
    this.#stopped = reason;
    this.show();
  }

  async #resume(): Promise<RunStatus> {
    if (this.#stopped !== null) {
      this.#stopped = null;
      this.state.resumes = (this.state.resumes ?? 0) + 1;
      if (this.#epoch === null) this.gate.goOn(this.state.resumes);
      else
        await getExternalWorkflowHandle(this.#epoch.workflowId).signal(
          goOnSignal,
          this.state.resumes,
        );
    }
    return this.#ask({ paused: false });
  }

  async #adjust(change: Adjustment): Promise<RunStatus> {
    await condition(() => this.begun);
    const { config } = this.state.plan;
    try {
      await checkChange({ config, change: combine(this.state.change, change) });
    } catch (error) {
      throw plainFailure(error);
    }
    this.state.change = combine(this.state.change, change);
    return this.status();
  }
}

function combine(before: SettingsChange, change: Adjustment): SettingsChange {
  return {
    rlaif: { ...before.rlaif, ...change.rlaif },
    training: { ...before.training, ...change.training },
  };
}

/** Refuses what is no adjustment at all before it enters the history; the schema has the rest. */
function checkAdjustmentShape(change: unknown): void {
  const isMapping = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const wellFormed =
    isMapping(change) &&
    Object.keys(change as object).length > 0 &&
    Object.entries(change as object).every(
      ([key, value]) => (key === 'rlaif' || key === 'training') && isMapping(value),
    );
  if (!wellFormed)
    throw new TypeError(
      `adjust: expected {"rlaif": {…}} or {"training": {…}} or both, found ${JSON.stringify(change)}`,
    );
}
