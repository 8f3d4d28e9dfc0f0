// The preference graph: gradients of a reward model's Bradley–Terry loss over pairs of answers, the
// better one first. gradient-graph.ts loops over microbatches.
// Axes: P pairs, B = 2·P sequences and T tokens of a microbatch.

import type { Value } from '../../engine/graph/graph.ts';
import type { Builder } from '../../engine/graph/operators.ts';
import type { DecoderConfig } from '../../engine/model/config.ts';
import { logits } from '../../engine/model/decoder.ts';
import { rotaryInputs, sequenceHidden } from '../../engine/model/sequence.ts';
import { type GradientOptions, gradientGraph } from '../../engine/training/gradient-graph.ts';

/** The stats vector, in order; each is a weighted sum over the step's pairs. */
export const preferenceStats = ['loss', 'accuracy', 'margin'] as const;
export type PreferenceStats = Record<(typeof preferenceStats)[number], number>;

/**
 * Inputs in addition to those of gradient-graph.ts: `layout` int64 [microbatches, 4], for each the
 * start of its tokens, P, T and the start of its pairs; `tokens` int64 [ΣB·T], chosen and rejected
 * sequences in turn; `ends` int64 [ΣB], row b·T + t of each scored token; `weight` float32
 * [ΣP]; RoPE's tables. `stats` is float32 [3]. Returns the model's bytes.
 */
export function preferenceGraph(c: DecoderConfig, options: GradientOptions): Uint8Array {
  return gradientGraph(c, options, (g, weights) => {
    const layout = g.input('layout', ['microbatches', 4], 'int64');
    const inputs = {
      tokens: g.input('tokens', ['ΣB·T'], 'int64'),
      ends: g.input('ends', ['ΣB'], 'int64'),
      weight: g.input('weight', ['ΣP']),
    };
    const tables = rotaryInputs(g, c);
    return {
      layout,
      at(body, row, segments) {
        const x = microbatch(body, inputs, row);
        const options = { rows: x.ends, segments };
        const hidden = sequenceHidden(body, c, weights, tables, x.tokens, options);
        const scores = body.reshape(logits(body, c, weights, hidden), ['P', 2]);
        return bradleyTerry(body, scores, x.weight);
      },
    };
  });
}

/**
 * −log σ(r_chosen − r_rejected), weighted and summed (Bradley and Terry 1952; arXiv 2203.02155,
 * equation 1). A log-softmax over the pair is the same, and safe for any margin.
 * @param scores [P, 2], chosen first
 * @param weight [P]
 */
function bradleyTerry(g: Builder, scores: Value, weight: Value) {
  const [P] = scores.shape;
  const column = (x: Value, i: number) => g.reshape(g.slice(x, 1, i, i + 1), [P!]);
  const sum = (perPair: Value) => g.sumAll(g.mul(perPair, weight));
  const margin = g.sub(column(scores, 0), column(scores, 1));
  const loss = g.neg(sum(column(g.logSoftmax(scores), 0)));
  const right = g.cast(g.less(0, margin), 'float32');
  const stats = [loss, sum(right), sum(margin)].map((value) => g.reshape(value, [1]));
  return { loss, stats: g.concat(stats, 0) };
}

type BatchInputs = Record<'tokens' | 'ends' | 'weight', Value>;

/** The inputs of one microbatch: `tokens` [B, T], `ends` [B], `weight` [P]. */
function microbatch(body: Builder, inputs: BatchInputs, row: Value): BatchInputs {
  const [start, P, T, first] = [0, 1, 2, 3].map((i) => body.slice(row, 0, i, i + 1)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const twice = (x: Value) => body.mul(x, body.ints([2]));
  const B = twice(P);
  body.dimension('P', P);
  body.dimension('B', B);
  body.dimension('T', T);
  const end = body.add(start, body.mul(B, T));
  const lastPair = body.add(first, P);
  return {
    tokens: body.reshape(body.sliceRows(inputs.tokens, start, end, 'B·T'), ['B', 'T']),
    ends: body.sliceRows(inputs.ends, twice(first), twice(lastPair), 'B'),
    weight: body.sliceRows(inputs.weight, first, lastPair, 'P'),
  };
}
