// Packs samples of different lengths into tensors: sequences padded on the right to the longest of
// their batch, and flat lists of the tokens whose log-probabilities are wanted.
// Axes: B sequences, T time, M such tokens.

import type { TensorData } from '../runtime/session.ts';

/** A prompt and a completion as token ids. */
export interface Sequence {
  prompt: readonly number[];
  completion: readonly number[];
}

/** Number of tokens of a sequence. */
export const lengthOf = ({ prompt, completion }: Sequence) => prompt.length + completion.length;

/**
 * Index of the token whose scores are the sequence's: the last that is not padding, as in
 * transformers' classifiers, also where padding is the token that ends a text; the first if all are.
 */
export function scoredToken(tokens: readonly number[], padTokenId: number | undefined): number {
  return Math.max(
    0,
    tokens.findLastIndex((token) => token !== padTokenId),
  );
}

/** int64 data of shape `shape`. */
export function integers(xs: readonly number[], shape: readonly number[] = [xs.length]) {
  return { data: BigInt64Array.from(xs, BigInt), shape };
}

/** Indices of the sequences, shortest first. */
export function byLength(sequences: readonly Sequence[]): number[] {
  const at = (i: number) => lengthOf(sequences[i]!);
  return [...sequences.keys()].sort((a, b) => at(a) - at(b) || a - b);
}

/** T of a batch, and its rows' tokens [B·T], padded on the right with token 0. */
function padded(sequences: readonly Sequence[]): { length: number; tokens: number[] } {
  const length = sequences.reduce((most, s) => Math.max(most, lengthOf(s)), 1);
  const tokens = sequences.flatMap((s) => {
    const row = new Array<number>(length).fill(0);
    [...s.prompt, ...s.completion].forEach((token, t) => {
      row[t] = token;
    });
    return row;
  });
  return { length, tokens };
}

/** Row b·T + t of the token before each completion token, in order. */
function predictors(sequences: readonly Sequence[], length: number): number[] {
  return sequences.flatMap(({ prompt, completion }, row) =>
    completion.map((_, i) => row * length + prompt.length + i - 1),
  );
}

/** One batch: `tokens` [B, T], and `predictors` and `targets` [M] for all completion tokens. */
export function packBatch(sequences: readonly Sequence[]) {
  const { length, tokens } = padded(sequences);
  return {
    tokens: integers(tokens, [sequences.length, length]),
    predictors: integers(predictors(sequences, length)),
    targets: integers(sequences.flatMap((s) => s.completion)),
  } satisfies Record<string, TensorData>;
}

/**
 * Several batches end to end, each padded to its own longest sequence: `tokens` [ΣB·T],
 * `predictors` and `targets` [ΣM], and `layout` [batches, 5]: for each batch the offset of its
 * tokens, B, T, the offset of its targets, and M.
 */
export function packBatches(batches: readonly (readonly Sequence[])[]) {
  const tokens: number[] = [];
  const allPredictors: number[] = [];
  const targets: number[] = [];
  const layout: number[] = [];
  for (const sequences of batches) {
    const batch = padded(sequences);
    const rows = predictors(sequences, batch.length);
    layout.push(tokens.length, sequences.length, batch.length, targets.length, rows.length);
    for (const token of batch.tokens) tokens.push(token);
    for (const row of rows) allPredictors.push(row);
    for (const { completion } of sequences) for (const token of completion) targets.push(token);
  }
  return {
    layout: integers(layout, [batches.length, 5]),
    tokens: integers(tokens),
    predictors: integers(allPredictors),
    targets: integers(targets),
  } satisfies Record<string, TensorData>;
}
