import { describe, expect, it } from 'vitest';
import { parseMetricsJsonl } from './history.ts';

describe('parseMetricsJsonl', () => {
  it('reads lines of another system, with null for missing fields', () => {
    const [line] = parseMetricsJsonl('{"epoch":6,"reward":0.25,"note":"x"}\n\n', 'm.jsonl');
    expect(line).toMatchObject({ epoch: 6, reward: 0.25, loss: null, settings: null, note: 'x' });
  });

  it('sorts by epoch, and keeps the later of two lines for one epoch', () => {
    const text = '{"epoch":7,"reward":0.1}\n{"epoch":6}\n{"epoch":7,"reward":0.2}';
    const lines = parseMetricsJsonl(text, 'm.jsonl');
    expect(lines.map(({ epoch, reward }) => [epoch, reward])).toEqual([
      [6, null],
      [7, 0.2],
    ]);
  });

  it.each([
    ['{"epoch":6}\n{"epoch":', /m\.jsonl, line 2: expected one JSON object/],
    ['{"epoch":6}\n\n[1]', /line 3: expected one JSON object, found another value/],
    ['{"reward":0.2}', /line 1: expected epoch to be a whole number, found nothing/],
    ['{"epoch":1,"loss":"low"}', /line 1: expected loss to be a number or null, found "low"/],
    ['{"epoch":1,"loss":NaN}', /not finite as null/],
    ['{"epoch":1,"reward_histogram":["a"]}', /reward_histogram to be a list of numbers/],
  ])('refuses %j, naming the line', (text, message) => {
    expect(() => parseMetricsJsonl(text, 'm.jsonl')).toThrow(message);
    expect(() => parseMetricsJsonl(text, 'm.jsonl')).toThrow(
      expect.objectContaining({ kind: 'InvalidData' }),
    );
  });
});
