import { describe, expect, it } from 'vitest';
import { nextKlScale } from './kl-penalty.ts';

describe('the scale of an adaptive KL penalty', () => {
  it('does not change without a target', () => expect(nextKlScale(3, 9, null)).toBe(3));
  it('moves in proportion to the distance from the target', () =>
    expect(nextKlScale(2, 0.055, 0.05)).toBeCloseTo(2 * 1.01, 12));
  it('moves by at most 2%', () => {
    expect(nextKlScale(1, 5, 0.05)).toBeCloseTo(1.02, 12);
    expect(nextKlScale(1, 0, 0.05)).toBeCloseTo(0.98, 12);
  });
});
