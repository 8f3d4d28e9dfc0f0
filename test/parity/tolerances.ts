// Every tolerance of the parity tests, with its reason. Differences come from float32 arithmetic in
// another order; the fixtures' logits reach ±30, so 1e-4 is some 30 units in the last place.
// float16 and bfloat16 need no separate ones: their fixtures' weights were rounded to the stored
// type before anything was computed from them, and widening is exact, so only float32 arithmetic
// can differ there too.

export const tolerances = {
  /** Largest absolute difference of logits and log-probabilities. */
  logits: 1e-4,
  logprobs: 1e-4,
  /** ‖Δ‖ / ‖reference‖ of one parameter's gradient. */
  gradient: 1e-4,
  /** ‖Δ‖ / ‖reference‖ of a batch's advantages: TRL takes means and deviations in float32. */
  advantages: 1e-5,
  /** Relative difference of a step's loss and gradient norm, and of parameters after 20 steps. */
  trajectory: 1e-4,
  /**
   * Finite differences in float32 with a step of 1e-2: the truncation error is of the order of the
   * step squared, the rounding error of 1e-7 over the step. Both stay under 1e-2 for gradients of
   * order 1.
   */
  finiteDifference: 1e-2,
} as const;
