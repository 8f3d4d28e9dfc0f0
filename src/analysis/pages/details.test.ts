import { describe, expect, it } from 'vitest';
import { epoch7, healthyAfter } from '../diagnosis/epochs.fixture.ts';
import { fixed, settingValue, signed, sparkline } from '../format.ts';
import { renderDetails, type Standing } from './details.ts';
import { epochColumns, epochRow } from './epoch-table.ts';

const standing: Standing = {
  state: 'running',
  phase: 'exploration',
  epoch: 9,
  firstEpoch: 8,
  lastEpoch: 15,
  metrics: [
    { epoch: 7, phase: 'start', 'eval/reward': 0.2 },
    { epoch: 8, phase: 'exploration', 'eval/reward': 0.3 },
  ],
  stopped: null,
};

describe('renderDetails', () => {
  it('says why a run waits for people', () => {
    const stopped = 'The budget is spent.';
    expect(renderDetails({ ...standing, stopped })).toContain(`**Paused.** ${stopped}`);
  });

  it('lists the refits of reward models, the latest ones', () => {
    const refits = Array.from({ length: 12 }, (_, i) => ({
      ...{ reward: 'teacher', epoch: i, pairs: 90, heldOutPairs: 20 },
      ...{ accuracyBefore: 0.7, accuracyAfter: 0.8, inForce: true },
    }));
    const lines = renderDetails({ ...standing, refits }).match(/^- .*refitted before epoch \d+/gm);
    expect(lines).toHaveLength(10);
    expect(lines!.at(-1)).toMatch(/epoch 11$/);
  });

  it('shows phase, epoch, trend and one row per epoch', () => {
    const text = renderDetails(standing);
    expect(text).toContain('**exploration**, epoch **9** of 8–15 · running');
    expect(text).toContain('0.200 → 0.300 (+50.0%) `▁█`');
    const [head, ...rows] = text.split('```')[1]!.trim().split('\n');
    expect(head).toMatch(/^epoch +phase +held-out/);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(/^ +8 +exploration +0\.300 /);
  });

  it('works before the first metrics', () => {
    const text = renderDetails({ ...standing, phase: null, epoch: null, metrics: [] });
    expect(text).toBe('**start** · running');
  });

  it("stays within the panel's 20,000 bytes for a run of any length", () => {
    const metrics = Array.from({ length: 1000 }, (_, i) => ({ ...healthyAfter, epoch: i }));
    const text = renderDetails({ ...standing, metrics });
    expect(new TextEncoder().encode(text).length).toBeLessThan(20_000);
    expect(text).toContain('980 earlier epochs');
  });
});

describe('epochRow', () => {
  it('has a cell for every column, and a dash for a missing value', () => {
    const row = epochRow(epoch7);
    expect(row).toHaveLength(epochColumns.length);
    expect(row.slice(0, 4)).toEqual(['7', '', '0.240', '0.528']);
    expect(row.at(-1)).toBe('–');
  });
});

describe('numbers', () => {
  it('are formatted as in prose and run files', () => {
    expect([signed(-0.00001), signed(0.0047), fixed(null)]).toEqual(['0.0000', '+0.0047', '–']);
    expect(settingValue('learning_rate', 7e-6)).toBe('7e-6');
    expect(settingValue('reward_weight', 2)).toBe('2.0');
    expect(settingValue('num_samples_per_prompt', 8)).toBe('8');
  });

  it('make spark lines', () => {
    expect(sparkline([0, 0.5, 1])).toBe('▁▅█');
    expect(sparkline([1, null, 1])).toBe('▄ ▄');
    expect(sparkline([])).toBe('');
  });
});
