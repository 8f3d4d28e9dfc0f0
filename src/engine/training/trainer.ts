// Takes optimiser steps by the gradients of a graph. Holds the trained tensors with AdamW's state,
// and the sessions of the graphs. The losses are in rl/policy and rl/preference.

import type { DeviceSettings } from '../inference/jobs.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { AdamWSettings } from '../optimizer/adamw.ts';
import type { TensorData } from '../runtime/session.ts';
import type { SessionCache } from '../runtime/session-cache.ts';
import type { GradientOptions } from './gradient-graph.ts';
import type { TrainingState } from './training-state.ts';

/** A gradient graph, its inputs besides the trained tensors, and how to read its `stats`. */
export interface GradientStep<Stats> {
  /** Names the graph among the trainer's sessions. */
  name: string;
  graph(options: GradientOptions): Uint8Array;
  feeds: Record<string, TensorData>;
  statsOf(values: Float32Array): Stats;
}

export class Trainer {
  protected readonly state: TrainingState;
  readonly #sessions: SessionCache;

  protected constructor(state: TrainingState, engine: DeviceSettings) {
    this.state = state;
    this.#sessions = state.openSessions(engine);
  }

  /** Optimiser steps taken since the moments were zero. */
  get step(): number {
    return this.state.step;
  }

  get config(): DecoderConfig {
    return this.state.policy.config;
  }

  /** Write a checkpoint into `folder` (training-state.ts). */
  save(folder: string): Promise<void> {
    return this.state.save(folder);
  }

  /** Write everything that changes from step to step into one file. */
  saveSnapshot(file: string): Promise<void> {
    return this.state.saveSnapshot(file);
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  /**
   * Run the graph and take one AdamW step by its gradients.
   * @returns the statistics, and the gradients' global norm before clipping
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  protected async takeStep<Stats extends Readonly<Record<keyof Stats, number>>>(
    { name, graph, feeds, statsOf }: GradientStep<Stats>,
    settings: AdamWSettings,
  ): Promise<Stats & { grad_norm: number }> {
    const session = await this.#sessions.get(name, () => graph(this.state.options));
    const outputs = await session.run({ ...feeds, ...this.state.feeds() });
    const stats = statsOf(outputs.stats!.data as Float32Array);
    return { ...stats, grad_norm: this.state.update(outputs, stats, settings) };
  }
}
