// Log-probabilities of given completions under a fixed policy: the reference of the KL penalty.

import type { DecoderConfig } from '../engine/model/config.ts';
import { readModelConfig } from '../engine/model/config.ts';
import { logprobGraph } from '../engine/model/logprob-graph.ts';
import { type ExternalWeights, openWeights } from '../engine/model/weights.ts';
import { SessionCache } from '../engine/runtime/session-cache.ts';
import type { EngineSettings } from './model-service.ts';
import { packSequences, type Sequence, sequenceLengths } from './packing.ts';

export class ReferencePolicy {
  private readonly config: DecoderConfig;
  private readonly weights: ExternalWeights;
  private readonly sessions: SessionCache;

  private constructor(config: DecoderConfig, weights: ExternalWeights, engine: EngineSettings) {
    this.config = config;
    this.weights = weights;
    const { device, threads } = engine;
    this.sessions = new SessionCache({ device, threads, files: weights.files });
  }

  /** @throws AnnealError InvalidModel */
  static async open(folder: string, engine: EngineSettings): Promise<ReferencePolicy> {
    const config = await readModelConfig(folder);
    return new ReferencePolicy(config, await openWeights(folder, config), engine);
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
    const order = [...sequences.keys()].sort(
      (a, b) => sequences[a]!.completion.length - sequences[b]!.completion.length || a - b,
    );
    const results: number[][] = new Array(sequences.length);
    for (let start = 0; start < order.length; start += batch) {
      const rows = order.slice(start, start + batch);
      const part = rows.map((i) => sequences[i]!);
      (await this.run(part, batch, temperature)).forEach((row, i) => {
        results[rows[i]!] = row;
      });
      onProgress?.(Math.min(start + batch, order.length));
    }
    return results;
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }

  private async run(sequences: Sequence[], batch: number, temperature: number) {
    const lengths = sequenceLengths(sequences);
    const shape = { batch, ...lengths };
    const session = await this.sessions.get(shape, () =>
      logprobGraph(this.config, this.weights, shape),
    );
    const { logprobs } = await session.run({
      ...packSequences(sequences, [batch], lengths),
      inverse_temperature: { data: Float32Array.of(1 / temperature), shape: [] },
    });
    const data = logprobs!.data as Float32Array;
    const C = lengths.completionLength;
    return sequences.map(({ completion }, i) =>
      Array.from(data.subarray(i * C, i * C + completion.length)),
    );
  }
}
