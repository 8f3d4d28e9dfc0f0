// A model folder loaded for inference with one graph: weights, session and adapters.

import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { openWeights } from '../files/weights.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { ExternalWeights } from '../model/external-weights.ts';
import type { AdapterShape } from '../model/lora.ts';
import { rotaryFeeds } from '../model/rope.ts';
import { Session, type TensorData } from '../runtime/session.ts';
import { adapterFeeds, type Feeds } from './adapter-feeds.ts';
import type { DeviceSettings } from './jobs.ts';

/** Builds a graph over a model's weights, such as logitsGraph; its inputs include RoPE's tables. */
export type InferenceGraph = (
  c: DecoderConfig,
  weights: ExternalWeights,
  adapters?: AdapterShape,
) => Uint8Array;

export class LoadedModel {
  readonly config: DecoderConfig;
  readonly #session: Session;
  readonly #adapters: Feeds;

  private constructor(config: DecoderConfig, session: Session, adapters: Feeds) {
    this.config = config;
    this.#session = session;
    this.#adapters = adapters;
  }

  /** @throws AnnealError InvalidModel */
  static async open(
    folder: string | PolicyFolder,
    graph: InferenceGraph,
    { device, threads }: DeviceSettings,
  ): Promise<LoadedModel> {
    const opened = typeof folder === 'string' ? await openPolicyFolder(folder) : folder;
    const { base, config, lora } = opened;
    const weights = await openWeights(base, config);
    const options = { device, threads, files: weights.files };
    const session = await Session.create(graph(config, weights, lora), options);
    return new LoadedModel(config, session, await adapterFeeds(opened));
  }

  /** Run the graph on sequences of at most `length` tokens. */
  run(feeds: Feeds, length: number): Promise<Record<string, TensorData>> {
    return this.#session.run({ ...feeds, ...rotaryFeeds(this.config, length), ...this.#adapters });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
