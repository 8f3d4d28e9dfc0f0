// Number types that many sections share.

import { z } from 'zod';

export const fraction = z.number().min(0).max(1);
export const positiveInt = z.int().positive();

// Nobody means more than these, and no machine holds it: a larger number is a mistake.
export const sampleCount = positiveInt.max(10_000);
export const recordCount = positiveInt.max(1_000_000);
export const tokenCount = positiveInt.max(1_000_000);
/** Each epoch of a ramp is checked before the run starts. */
export const epochNumber = z.int().min(0).max(100_000);
/** Seconds that a timer can count (Node's hold 2^31 ms). */
export const seconds = z.number().positive().max(1_000_000);
