import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runSchema } from '../../config/schema/run.ts';
import {
  epoch6,
  epoch7,
  healthyAfter,
  healthyBefore,
  targets,
  withRlaif,
} from '../diagnosis/epochs.fixture.ts';
import { type EpochRecord, parseMetricsJsonl } from '../metrics/history.ts';
import { renderEpochReport } from './epoch-report.ts';
import { renderRunReport } from './run-report.ts';

const page = (history: readonly EpochRecord[]) =>
  renderEpochReport({ history, epoch: history.at(-1)!.epoch, success: targets });

/** The text between one heading of level two and the next. */
function section(text: string, title: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
}

function yamlBlocks(text: string): string[] {
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);
}

describe('the page of the original epochs 6 and 7', () => {
  const text = page([epoch6, epoch7]);

  it.each([
    '| **Average Reward** | 0.2537 | 0.2401 | -0.0136 (-5.4%) | 🔴 **DECLINING** |',
    '| **Best-of-N Reward** | 0.5229 | 0.5276 | +0.0047 (+0.9%) | ✅ **IMPROVING** |',
    '| **Average Loss** | 0.1735 | 0.1605 | -0.0130 (-7.5%) | ✅ **IMPROVING** |',
    '| **Reward Variance** | 0.0765 | 0.0704 | -0.0061 | ✅ **MORE STABLE** |',
    '| **Code Diversity** | 100% (0.080) | 100% (0.078) | Stable | ✅ **MAINTAINED** |',
  ])('has the row %s', (row) => expect(text.split('\n')).toContain(row));

  it('names what works', () => {
    const working = section(text, "What's Working");
    for (const title of [
      'Loss is Decreasing',
      'Best-of-N Reward Improving',
      'Lower Variance',
      'Code Diversity Maintained',
    ])
      expect(working).toContain(`**${title}**`);
    expect(working).not.toContain('Narrowing');
  });

  it('names the critical issues, the falling reward first', () => {
    const issues = section(text, 'Critical Issues');
    expect(issues).toContain('### 1. **Average Reward Declining** (Most Critical)');
    expect(issues).toContain('**too conservative**');
    expect(issues).toContain('### 2. **Best-of-N vs Average Gap Widening**');
    expect(issues).toContain('0.2875');
    expect(issues).toContain('### 3. **Reward-Weight Balance Issue**');
  });

  it('names the four causes', () => {
    const causes = section(text, 'Root Cause Analysis');
    expect(causes.match(/^### .*$/gm)).toEqual([
      '### 1. **KL Penalty Too High (0.1)**',
      '### 2. **Reward Signal Too Weak**',
      '### 3. **Learning Rate May Be Too Low (5e-6)**',
      '### 4. **No Reward Filtering**',
    ]);
  });

  it('recommends by priority, with option A first', () => {
    const fixes = section(text, 'Recommended Fixes');
    expect(fixes.match(/^### Priority.*$/gm)).toEqual([
      '### Priority 1: Rebalance Reward vs KL Penalty',
      '### Priority 2: Slightly Increase Learning Rate',
      '### Priority 3: Add Reward Threshold Filtering',
      '### Priority 4: Train on the Best of N',
      '### Priority 5: Adjust Temperature for Better Exploration',
    ]);
    expect(fixes).toContain('Option A: Increase Reward Weight (Recommended)');
    expect(yamlBlocks(fixes).map((block) => parse(block))).toEqual([
      { rlaif: { reward_weight: 2, kl_penalty: 0.1 } },
      { rlaif: { reward_weight: 1, kl_penalty: 0.05 } },
      { training: { learning_rate: 7e-6 } },
      { rlaif: { reward_threshold: 0.2 } },
      { rlaif: { best_of_n_training: true } },
      { rlaif: { generation_temperature: 1.2 } },
    ]);
  });

  it('prints YAML that a run file accepts, with the values it replaces', () => {
    expect(text).toContain('reward_weight: 2.0  # increased from 1.0');
    expect(text).toContain('learning_rate: 7e-6  # increased from 5e-6');
    const base = { model: { path: 'm' }, prompts: { train: 't', held_out: 'h' } };
    const phases = [{ name: 'one', epochs: [8, 9] }];
    for (const block of yamlBlocks(text))
      expect(() => runSchema.parse({ ...base, phases, ...parse(block) })).not.toThrow();
  });

  it('lists the success metrics, and the two-phase schedule from the next epoch on', () => {
    const success = section(text, 'Success Metrics');
    expect(success.match(/❌/g)).toHaveLength(4);
    expect(success).toContain('✅ **Loss** 0.15 to 0.20: 0.1605');
    const [schedule] = yamlBlocks(section(text, 'Alternative Approach'));
    expect(parse(schedule!).phases).toMatchObject([
      {
        name: 'exploration',
        epochs: [8, 10],
        rlaif: { kl_penalty: 0.05, generation_temperature: 1.3 },
      },
      {
        name: 'refinement',
        epochs: [11, 15],
        rlaif: { kl_penalty: 0.1, generation_temperature: 1 },
      },
    ]);
  });

  it('is the same from bare metrics, and says what it assumed', () => {
    const bare = [epoch6, epoch7]
      .map(({ settings: _, ...line }) => JSON.stringify(line))
      .join('\n');
    const fromFile = page(parseMetricsJsonl(bare, 'metrics.jsonl'));
    expect(fromFile).toContain('are assumed');
    expect(section(fromFile, 'Recommended Fixes')).toBe(section(text, 'Recommended Fixes'));
    expect(text).not.toContain('are assumed');
  });
});

describe('renderEpochReport', () => {
  it('finds nothing critical in a healthy epoch, and recommends nothing', () => {
    const text = page([healthyBefore, healthyAfter]);
    expect(section(text, 'Critical Issues')).toContain('None.');
    expect(section(text, 'Next Steps')).toContain('Continue unchanged');
    expect(text).not.toMatch(/🔴 \*\*|## Recommended|## Warnings|## Root Cause|## Alternative|❌/);
  });

  it('works on a single epoch with almost no data', () => {
    const text = page([{ epoch: 3, reward: 0.2 }]);
    expect(text).toContain('# Training Analysis Update - Epoch 3\n');
    expect(text).toContain('| **Average Reward** | – | 0.2000 | – | ➖ **FIRST VALUE** |');
    expect(text).toContain('➖ **Loss** 0.15 to 0.20: – (not known)');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('compares a first epoch with the start line only by held-out metrics', () => {
    const start = { epoch: 7, phase: 'start', reward: null, 'eval/reward': 0.24, settings: null };
    const text = page([start, { ...healthyBefore, epoch: 8 }]);
    expect(text).toContain(
      '| **Held-out Average** | 0.2400 | 0.4000 | +0.1600 (+66.7%) | ✅ **IMPROVING** |',
    );
    expect(text).toContain('**Held-out Average Reward Rising**');
  });

  it('shows pass@1 and pass@N instead of the pass rate, if the metrics have them', () => {
    const tries = { 'eval/pass@1': 0.34, 'eval/pass@2': 0.5, 'eval/pass@16': 0.75 };
    const greedy = { 'eval/greedy/reward': 0.6, 'eval/greedy/pass_rate': 0.5 };
    const results = section(page([healthyBefore, { ...healthyAfter, ...tries, ...greedy }]), 'Res');
    for (const cells of ['pass@1** | – | 0.3400 |', 'pass@16** | – | 0.7500 |'])
      expect(results).toContain(`| **Held-out ${cells}`);
    expect(results).toContain('| **Held-out Greedy Pass Rate** | – | 0.5000 |');
    expect(results).not.toMatch(/pass@2|Held-out Pass Rate/);
    expect(page([healthyBefore, healthyAfter])).toContain(
      '| **Held-out Pass Rate** | 0.3000 | 0.3400 |',
    );
  });

  it('does not judge samples drawn at a different temperature', () => {
    const cooler = withRlaif({ ...healthyAfter, reward: 0.3 }, { generation_temperature: 1 });
    const text = page([healthyBefore, cooler]);
    expect(text).toMatch(/\*\*Average Reward\*\* .* ➖ \*\*NOT COMPARABLE\*\*/);
    expect(section(text, 'Warnings')).toContain('1.1 → 1.0');
    expect(section(text, 'Critical Issues')).toContain('None.');
  });

  it('shows the distribution and the criteria, if the metrics have them', () => {
    const bins = [0.5, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.25];
    const text = page([
      epoch6,
      { ...epoch7, reward_histogram: bins, 'eval/rewards/rubric/quality': 0.4 },
    ]);
    expect(section(text, 'Reward Distribution')).toContain('| 0.5–0.6 | – | 25% | ██████████ |');
    expect(section(text, 'Reward by Criterion')).toContain('| rubric/quality | – | 0.4000 | – |');
    expect(text).toContain("would have dropped 50% of this epoch's samples");
  });

  it('does not say to continue if reward falls and no setting is left to change', () => {
    const spent = {
      reward_weight: 2,
      kl_penalty: 0.05,
      reward_threshold: 0.2,
      best_of_n_training: true,
    };
    const lines = [epoch6, epoch7].map((line) =>
      withRlaif(line, { ...spent, generation_temperature: 1.2 }),
    );
    const slower = { epoch: 5, settings: { training: { learning_rate: 3e-6 } } };
    const steps = section(page([slower, ...lines]), 'Next Steps');
    expect(steps).toContain('Separate exploration from refinement');
    expect(steps).not.toContain('Continue unchanged');
  });

  it('refuses an epoch that the history does not contain', () => {
    const input = { history: [epoch6], epoch: 9, success: targets };
    expect(() => renderEpochReport(input)).toThrow(/found 9. Epochs with metrics: 6/);
  });
});

describe('renderRunReport', () => {
  it('shows start and end of the run, phase by phase', () => {
    const start: EpochRecord = { epoch: 10, phase: 'start', 'eval/reward': 0.22 };
    const text = renderRunReport({
      history: [start, healthyBefore, healthyAfter],
      success: targets,
      name: 'r',
    });
    expect(text).toContain('# Training Report - r');
    expect(text).toContain('**Held-out average reward**: 0.2200 → 0.4400 (+100.0%) `▁▇█`');
    expect(text).toContain('| refinement | 11–12 | 0.1 | 1.1 |');
    expect(text).toContain('## Diagnosis of Epoch 12');
  });

  it('shows the policy at the start and after each phase', () => {
    const measured = (pass: number) => ({ 'eval/pass@1': pass, 'eval/pass@8': 2 * pass });
    const start = { epoch: 9, phase: 'start', ...measured(0.1) };
    const earlier = { epoch: 10, phase: 'exploration', entropy: 0.9, ...measured(0.2) };
    const later = [healthyBefore, { ...healthyAfter, ...measured(0.3) }];
    const text = renderRunReport({ history: [start, earlier, ...later], success: targets });
    expect(section(text, 'Policy After').split('\n').slice(2).filter(Boolean)).toEqual([
      '|  | start 9 | exploration 10 | refinement 12 |',
      '| --- | --- | --- | --- |',
      '| Held-out pass@1 | 10% | 20% | 30% |',
      '| Held-out pass@8 | 20% | 40% | 60% |',
      `| Entropy at the phase's temperature, nats | – | 0.9000 | ${healthyAfter.entropy!.toFixed(4)} |`,
    ]);
  });

  it('works on bare metrics, and refuses an empty history', () => {
    expect(renderRunReport({ history: [{ epoch: 1 }], success: targets })).not.toMatch(
      /NaN|undefined/,
    );
    expect(() => renderRunReport({ history: [], success: targets })).toThrow(/at least one epoch/);
  });
});
