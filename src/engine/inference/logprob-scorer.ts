// Log-probabilities of given completions under a fixed model, such as the reference policy.

import type { PolicyFolder } from '../files/policy-folder.ts';
import { logprobGraph } from '../model/logprob-graph.ts';
import { byLength, packBatch, type Sequence } from '../model/packing.ts';
import type { DeviceSettings } from './jobs.ts';
import { LoadedModel } from './loaded-model.ts';

export class LogprobScorer {
  readonly #model: LoadedModel;

  private constructor(model: LoadedModel) {
    this.#model = model;
  }

  /** @throws AnnealError InvalidModel */
  static async open(folder: string | PolicyFolder, engine: DeviceSettings): Promise<LogprobScorer> {
    return new LogprobScorer(await LoadedModel.open(folder, logprobGraph, engine));
  }

  /**
   * Log-probability of every completion token at `temperature`, `batch` sequences per run.
   * Sequences of similar length go together, so that little time is spent on padding.
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
      (await this.#run(part, temperature)).forEach((row, i) => {
        results[rows[i]!] = row;
      });
      onProgress?.(Math.min(start + batch, order.length));
    }
    return results;
  }

  close(): Promise<void> {
    return this.#model.close();
  }

  async #run(sequences: readonly Sequence[], temperature: number): Promise<number[][]> {
    const packed = packBatch(sequences);
    if (packed.targets.data.length === 0) return sequences.map(() => []);
    const inverse_temperature = { data: Float32Array.of(1 / temperature), shape: [] };
    const length = packed.tokens.shape[1]!;
    const { logprobs } = await this.#model.run({ ...packed, inverse_temperature }, length);
    const data = Array.from(logprobs!.data, Number);
    let end = 0;
    return sequences.map(({ completion }) => {
      end += completion.length;
      return data.slice(end - completion.length, end);
    });
  }
}
