// Log-probabilities of given completions under a fixed policy: the reference of the KL penalty.

import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { openWeights } from '../files/weights.ts';
import { logprobGraph } from '../model/logprob-graph.ts';
import { byLength, packBatch, type Sequence } from '../model/packing.ts';
import { rotaryFeeds } from '../model/rope.ts';
import { Session } from '../runtime/session.ts';
import { adapterFeeds, type Feeds } from './adapter-feeds.ts';
import type { EngineSettings } from './jobs.ts';

export class ReferencePolicy {
  private readonly policy: PolicyFolder;
  private readonly session: Session;
  private readonly adapters: Feeds;

  private constructor(policy: PolicyFolder, session: Session, adapters: Feeds) {
    this.policy = policy;
    this.session = session;
    this.adapters = adapters;
  }

  /** @throws AnnealError InvalidModel */
  static async open(folder: string, { device, threads }: EngineSettings): Promise<ReferencePolicy> {
    const policy = await openPolicyFolder(folder);
    const weights = await openWeights(policy.base, policy.config);
    const graph = logprobGraph(policy.config, weights, policy.lora);
    const session = await Session.create(graph, { device, threads, files: weights.files });
    return new ReferencePolicy(policy, session, await adapterFeeds(policy));
  }

  /**
   * Log-probability of every completion token at `temperature`, `batch` sequences a run.
   * Sequences of like length go together, so that little is computed on padding.
   */
  async logprobs(
    sequences: readonly Sequence[],
    batch: number,
    temperature: number,
    onProgress?: (done: number) => void,
  ): Promise<number[][]> {
    const order = byLength(sequences);
    const results: number[][] = new Array(sequences.length);
    for (let start = 0; start < order.length; start += batch) {
      const rows = order.slice(start, start + batch);
      const part = rows.map((i) => sequences[i]!);
      (await this.run(part, temperature)).forEach((row, i) => {
        results[rows[i]!] = row;
      });
      onProgress?.(Math.min(start + batch, order.length));
    }
    return results;
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  private async run(sequences: readonly Sequence[], temperature: number): Promise<number[][]> {
    const packed = packBatch(sequences);
    if (packed.targets.data.length === 0) return sequences.map(() => []);
    const { logprobs } = await this.session.run({
      ...packed,
      inverse_temperature: { data: Float32Array.of(1 / temperature), shape: [] },
      ...rotaryFeeds(this.policy.config, packed.tokens.shape[1]!),
      ...this.adapters,
    });
    const data = Array.from(logprobs!.data, Number);
    let end = 0;
    return sequences.map(({ completion }) => {
      end += completion.length;
      return data.slice(end - completion.length, end);
    });
  }
}
