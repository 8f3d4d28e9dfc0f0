// Samples of different lengths as rectangular tensors: prompts padded on the left, completions
// on the right, lengths rounded up to a few sizes so that few graphs are built.
// Axes: M microbatches, B samples in each, S prompt length, C completion length, T = S + C.

import type { TensorData } from '../engine/runtime/session.ts';

/** A prompt and a completion as token ids. */
export interface Sequence {
  prompt: readonly number[];
  completion: readonly number[];
}

/** Round lengths up: fewer graphs to build, at most this much padding. */
const promptMultiple = 8;
const completionMultiple = 16;

const roundUp = (n: number, multiple: number) => Math.ceil(n / multiple) * multiple;

/** S and C that hold every one of the sequences. */
export function sequenceLengths(sequences: readonly Sequence[]) {
  const longest = (part: keyof Sequence) =>
    sequences.reduce((most, s) => Math.max(most, s[part].length), 1);
  return {
    promptLength: roundUp(longest('prompt'), promptMultiple),
    completionLength: roundUp(longest('completion'), completionMultiple),
  };
}

/** Prompts [P, S] alone, padded on the left with token 0. */
export function packPrompts(prompts: readonly (readonly number[])[], S: number) {
  const count = prompts.length * S;
  const tokens = new BigInt64Array(count);
  const positions = new BigInt64Array(count);
  const padding = new Float32Array(count).fill(1);
  prompts.forEach((prompt, row) => {
    const start = (row + 1) * S - prompt.length;
    prompt.forEach((token, i) => {
      tokens[start + i] = BigInt(token);
      positions[start + i] = BigInt(i);
      padding[start + i] = 0;
    });
  });
  const shape = [prompts.length, S];
  return {
    tokens: { data: tokens, shape },
    positions: { data: positions, shape },
    padding: { data: padding, shape },
  };
}

/**
 * Sequences as `leading` × [T] (tokens, positions, padding) and × [C] (targets), where the
 * product of `leading` is at least their number; rows beyond them are padding.
 */
export function packSequences(
  sequences: readonly Sequence[],
  leading: readonly number[],
  { promptLength: S, completionLength: C }: { promptLength: number; completionLength: number },
) {
  const rows = leading.reduce((n, d) => n * d, 1);
  const T = S + C;
  const tokens = new BigInt64Array(rows * T);
  const positions = new BigInt64Array(rows * T);
  const padding = new Float32Array(rows * T);
  const targets = new BigInt64Array(rows * C);
  sequences.forEach(({ prompt, completion }, row) => {
    const start = row * T + S - prompt.length;
    padding.fill(1, row * T, start);
    [...prompt, ...completion].forEach((token, i) => {
      tokens[start + i] = BigInt(token);
      positions[start + i] = BigInt(i);
    });
    completion.forEach((token, i) => {
      targets[row * C + i] = BigInt(token);
    });
  });
  const whole = [...leading, T];
  return {
    tokens: { data: tokens, shape: whole },
    positions: { data: positions, shape: whole },
    padding: { data: padding, shape: whole },
    targets: { data: targets, shape: [...leading, C] },
  } satisfies Record<string, TensorData>;
}

/** Per-token numbers as `leading` × [C], 0 beyond each row's. */
export function packPerToken(
  rows: readonly (readonly number[])[],
  leading: readonly number[],
  C: number,
): TensorData<Float32Array> {
  const data = new Float32Array(leading.reduce((n, d) => n * d, C));
  rows.forEach((values, row) => {
    data.set(values, row * C);
  });
  return { data, shape: [...leading, C] };
}
