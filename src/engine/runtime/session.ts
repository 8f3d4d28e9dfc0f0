// ONNX Runtime sessions. Only this folder imports onnxruntime-node. A run blocks the calling thread,
// so sessions belong in a model process.

// Must come before onnxruntime-node.
import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Device } from '../../config/schema/engine.ts';
import { AnnealError } from '../../errors.ts';
import type { DataType } from '../graph/graph.ts';
import { providers } from './providers.ts';

export interface SessionOptions {
  device: Device;
  /** Threads of one operator. */
  threads: number;
  /** External files that initializers point into, by location. */
  files?: ReadonlyMap<string, Uint8Array>;
}

/** An input or output of a graph. */
export interface TensorData<T extends Float32Array | BigInt64Array = Float32Array | BigInt64Array> {
  data: T;
  shape: readonly number[];
}

/** A compiled graph. */
export class Session {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** @throws AnnealError InvalidModel if the provider is missing or refuses the graph */
  static async create(model: Uint8Array, options: SessionOptions): Promise<Session> {
    const { label, requires, config } = providers[options.device];
    const externalData = [...(options.files ?? [])].map(([path, data]) => ({ path, data }));
    try {
      const session = await InferenceSession.create(model, {
        executionProviders: [config],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        // Errors only: warnings of the graph optimiser do not help users.
        logSeverityLevel: 3,
        ...(externalData.length > 0 && { externalData }),
      } as InferenceSession.SessionOptions);
      return new Session(session);
    } catch (cause) {
      throw new AnnealError(
        'InvalidModel',
        `ONNX Runtime could not build the graph for device '${options.device}': ${(cause as Error).message.trim()}${requires ? `; ${label} needs ${requires}` : ''}`,
        { cause },
      );
    }
  }

  /** Run the graph and return the outputs named in `fetches`, all by default. */
  async run(
    feeds: Readonly<Record<string, TensorData>>,
    fetches: readonly string[] = this.#session.outputNames,
  ): Promise<Record<string, TensorData>> {
    const inputs: Record<string, Tensor> = {};
    for (const [name, { data, shape }] of Object.entries(feeds))
      inputs[name] = new Tensor(dtypeOf(data), data, [...shape]);
    const outputs = await this.#session.run(inputs, fetches);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [
        name,
        { data: tensor.data as Float32Array | BigInt64Array, shape: tensor.dims },
      ]),
    );
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function dtypeOf(data: Float32Array | BigInt64Array): DataType & ('float32' | 'int64') {
  return data instanceof Float32Array ? 'float32' : 'int64';
}
