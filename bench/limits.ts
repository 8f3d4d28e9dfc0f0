// Upper limits of this machine: graphs that only multiply matrices. The engine's figures are
// also reported as ratios to these.

import { Builder } from '../src/engine/graph/operators.ts';
import { serializeModel } from '../src/engine/graph/serialize.ts';
import type { DecoderConfig } from '../src/engine/model/config.ts';
import { parameterSpecs } from '../src/engine/model/parameters.ts';
import { Session } from '../src/engine/runtime/session.ts';
import { uniforms } from '../src/engine/sampling/random.ts';

const engine = { device: 'cpu', threads: 2 } as const;
const random = uniforms('limits');

/** Random values, centred and scaled so that repeated products neither vanish nor grow. */
function weights(rows: number, columns: number): Float32Array {
  const size = Math.sqrt(12 / columns);
  return Float32Array.from({ length: rows * columns }, () => (random() - 0.5) * size);
}

/** The shapes [out, in] of all products with weights for one token. */
function productShapes(c: DecoderConfig): (readonly number[])[] {
  const shapes = parameterSpecs(c)
    .filter(({ name, shape }) => shape.length === 2 && !name.includes('embed'))
    .map(({ shape }) => shape);
  return [...shapes, [c.vocabSize, c.hiddenSize]];
}

/** Floating-point operations of all products with weights, for one token forward. */
export function flopsPerToken(c: DecoderConfig): number {
  return productShapes(c).reduce((sum, [out, input]) => sum + 2 * out! * input!, 0);
}

/** Seconds of one product [2048, 256] × [256, 704] in float32, the shape of a training step. */
export async function bareProduct(): Promise<{
  run: () => Promise<number>;
  close(): Promise<void>;
}> {
  const [m, k, n] = [2048, 256, 704];
  const g = new Builder();
  const product = g.matmul(g.input('a', [m, k]), g.input('b', [k, n]));
  const model = serializeModel(g, [g.output('sum', g.sumAll(product))]);
  const session = await Session.create(model, engine);
  const feeds = {
    a: { data: weights(m, k), shape: [m, k] },
    b: { data: weights(k, n), shape: [k, n] },
  };
  return {
    run: async () => {
      for (let i = 0; i < 20; i++) await session.run(feeds);
      return (20 * 2 * m * k * n) / 1e9;
    },
    close: () => session.release(),
  };
}

/**
 * `steps` decoding steps of `batch` sequences, reduced to the products with the model's weights,
 * in one Loop.
 */
export async function bareDecoding(c: DecoderConfig, batch: number, steps: number) {
  const g = new Builder();
  const body = g.body();
  body.input('step', [], 'int64');
  const condition = body.input('condition', [], 'bool');
  const inputs = new Map<number, ReturnType<typeof body.input>>();
  for (const [, input] of productShapes(c))
    if (!inputs.has(input!)) inputs.set(input!, body.input('x', [batch, input!]));
  const carried = [...inputs.values()];
  const used = productShapes(c).map(([out, input]) => {
    const weight = g.constant(weights(out!, input!), [out!, input!]);
    return body.slice(body.linear(inputs.get(input!)!, weight), 1, 0, 1);
  });
  const sum = body.mul(body.sumAll(body.concat(used, 1)), 1e-30);
  body.outputs = [body.identity(condition), ...carried.map((x) => body.add(x, sum))];
  const widths = [...inputs.keys()];
  const starts = widths.map((width) => g.input(`start${width}`, [batch, width]));
  const [out] = g.loop(g.ints([steps], []), undefined, starts, body);
  const model = serializeModel(g, [g.output('out', out!)]);
  const session = await Session.create(model, engine);
  const feeds = Object.fromEntries(
    widths.map((width) => [
      `start${width}`,
      { data: weights(batch, width), shape: [batch, width] },
    ]),
  );
  return { run: () => session.run(feeds), close: () => session.release() };
}
