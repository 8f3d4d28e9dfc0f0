import { describe, expect, it } from 'vitest';
import { promptsOfEpoch } from './prompt-order.ts';

describe('promptsOfEpoch', () => {
  it('draws without repeats, depending on seed and epoch', () => {
    const draw = promptsOfEpoch(200, 96, 1, 8);
    expect(new Set(draw).size).toBe(96);
    expect(draw.every((index) => index >= 0 && index < 200)).toBe(true);
    expect(promptsOfEpoch(200, 96, 1, 8)).toEqual(draw);
    expect(promptsOfEpoch(200, 96, 1, 9)).not.toEqual(draw);
    expect(promptsOfEpoch(200, 96, 2, 8)).not.toEqual(draw);
  });

  it('refuses to draw more than there are', () => {
    expect(() => promptsOfEpoch(10, 11, 1, 8)).toThrow('at least 11 prompts, found 10');
  });
});
