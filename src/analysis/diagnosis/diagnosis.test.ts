import { describe, expect, it } from 'vitest';
import { runSchema } from '../../config/schema/run.ts';
import type { EpochRecord } from '../metrics/history.ts';
import { diagnose } from './diagnosis.ts';
import {
  epoch6,
  epoch7,
  healthyAfter,
  healthyBefore,
  targets,
  withRlaif,
} from './epochs.fixture.ts';
import { changesNow, overridesOf, recommend, renderYaml } from './recommendations.ts';

const diagnosisOf = (...history: EpochRecord[]) =>
  diagnose({ history, epoch: history.at(-1)!.epoch, success: targets })!;

/** Names of the rules that find fault with `after`, the healthy epoch changed by `change`. */
function faults(change: EpochRecord | Partial<EpochRecord>, before = healthyBefore): string[] {
  const { issues, warnings, causes } = diagnosisOf(before, { ...healthyAfter, ...change });
  return [...issues, ...warnings, ...causes].map(({ rule }) => rule);
}

const remediesOf = (...history: EpochRecord[]) =>
  recommend(diagnosisOf(...history)).map(({ name }) => name);

describe('diagnose', () => {
  it('finds no issue in a healthy epoch, and several strengths', () => {
    expect(faults({})).toEqual([]);
    expect(diagnosisOf(healthyBefore, healthyAfter).working.map(({ rule }) => rule)).toEqual([
      'reward-rising',
      'loss-falling',
      'best-of-n-rising',
      'variance-falling',
      'diversity-maintained',
      'gap-narrowing',
      'held-out-rising',
      'kl-controlled',
    ]);
  });

  it.each<[string, Partial<EpochRecord>]>([
    ['kl-drifting', { kl: 0.4 }],
    ['kl-drifting', { kl: 0.13 }],
    ['diversity-collapsed', { diversity: 0.3 }],
    ['entropy-collapsing', { entropy: 0.2 }],
    ['completions-clipped', { 'completions/clipped_ratio': 0.4 }],
    ['groups-constant', { frac_reward_zero_std: 0.6 }],
    ['scores-missing', { samples_missing: 2000 }],
    ['scores-missing-some', { samples_missing: 400 }],
    ['nothing-trained', { samples_trained: 0 }],
    ['held-out-declining', { 'eval/reward': 0.3 }],
    ['reward-hacking', { 'eval/pass_rate': 0.2 }],
    ['held-out-behind', { 'eval/pass_rate': 0.28 }],
    ['judge-unsteady', { 'rewards/judge/agreement': 0.3 }],
    ['judge-unsteady', { 'rewards/judge/agreement': 0.9, 'rewards/judge/place_correlation': -0.4 }],
    ['gap-above-target', { gap: 0.25 }],
  ])('%s is found in %j', (rule, change) => {
    const before = rule === 'gap-above-target' ? { ...healthyBefore, gap: 0.28 } : healthyBefore;
    expect(faults(change, before)).toEqual([rule]);
  });

  it('explains falling reward with rising loss by steps that are too large', () => {
    const found = faults({ reward: 0.3, loss: 0.25, gap: 0.18 });
    expect(found).toContain('steps-too-large');
    expect(found).not.toContain('kl-penalty-too-high');
  });

  it('does not blame the penalty while KL grows fast', () => {
    const found = faults({ reward: 0.3, kl: 0.5 });
    expect(found).toContain('kl-drifting');
    expect(found).not.toContain('kl-penalty-too-high');
  });

  it('ignores a loss that falls with the temperature', () => {
    const cooler = withRlaif(
      { ...healthyAfter, 'eval/reward': 0.3 },
      { generation_temperature: 1 },
    );
    const { issues, causes } = diagnosisOf(healthyBefore, cooler);
    expect(issues.map(({ rule }) => rule)).toEqual(['reward-declining']);
    expect(causes.map(({ rule }) => rule)).toEqual(['no-reward-filter']);
  });

  it('does not compare losses at different reward weights', () => {
    const heavier = withRlaif({ ...healthyAfter, loss: 0.35 }, { reward_weight: 2 });
    const { rows } = diagnosisOf(healthyBefore, heavier);
    expect(rows.find(({ metric }) => metric === 'loss')?.status.text).toBe('NOT COMPARABLE');
  });

  it('warns of a change that sampling alone explains', () => {
    // Two standard errors: 2 · sqrt(.058 / 64 + .055 / 64) = .0840.
    const few = { ...healthyBefore, samples: 64 };
    const { warnings } = diagnosisOf(few, { ...healthyAfter, samples: 64 });
    expect(warnings.map(({ rule }) => rule)).toEqual(['gain-within-noise']);
    expect(warnings[0]?.details[0]).toContain('±0.0840');
  });

  it('reports a stalled run after three epochs without a better average', () => {
    const lines = [0.25, 0.24, 0.25, 0.249].map((reward, i) => ({
      epoch: i,
      'eval/reward': reward,
    }));
    const rules = (history: EpochRecord[]) =>
      diagnosisOf(...history).warnings.map(({ rule }) => rule);
    expect(rules(lines)).toEqual(['stalled']);
    expect(rules([...lines.slice(0, 3), { epoch: 3, 'eval/reward': 0.26 }])).toEqual([]);
  });

  it('ignores later epochs', () => {
    const history = [epoch6, epoch7, { ...healthyAfter, epoch: 8 }];
    expect(diagnose({ history, epoch: 7, success: targets })?.facts.before).toBe(epoch6);
    expect(diagnose({ history, epoch: 9, success: targets })).toBeUndefined();
  });
});

describe('recommend', () => {
  it('climbs the ladder: changes already made are not proposed again', () => {
    const weighted = [epoch6, epoch7].map((line) => withRlaif(line, { reward_weight: 2 }));
    const [first] = recommend(diagnosisOf(...weighted));
    expect(first?.options.map(({ title }) => title)).toEqual(['Decrease KL Penalty']);

    const done = {
      reward_weight: 2,
      kl_penalty: 0.05,
      reward_threshold: 0.2,
      best_of_n_training: true,
      generation_temperature: 1.2,
    };
    const all = [epoch6, epoch7].map((line) => withRlaif(line, done));
    expect(remediesOf(...all)).toEqual(['raise-learning-rate']);
  });

  it('leaves the temperature to the phases, if the run has any', () => {
    const phased = [epoch6, epoch7].map((line) => ({ ...line, phase: 'refinement' }));
    expect(remediesOf(epoch6, epoch7)).toContain('temperature');
    expect(remediesOf(...phased)).not.toContain('temperature');
  });

  it('raises the learning rate once', () => {
    const raised = {
      ...epoch7.settings,
      training: { ...epoch7.settings?.training, learning_rate: 7e-6 },
    };
    expect(remediesOf(epoch6, epoch7)).toContain('raise-learning-rate');
    expect(remediesOf(epoch6, { ...epoch7, settings: raised })).not.toContain(
      'raise-learning-rate',
    );
  });

  it('distinguishes a rate raised by the run file from one raised by a person', () => {
    const learning_rate = { ramp: 'linear', from: 5e-6, to: 2e-5 };
    const config = runSchema.parse({
      model: { path: 'm' },
      prompts: { train: 't', held_out: 'h' },
      phases: [{ name: 'one', epochs: [6, 7], training: { learning_rate } }],
    });
    const remedies = (rate: number) => {
      const settings = {
        ...epoch7.settings,
        training: { ...epoch7.settings?.training, learning_rate: rate },
      };
      const history = [epoch6, { ...epoch7, settings }];
      const diagnosis = diagnose({ history, epoch: 7, success: targets, config });
      return recommend(diagnosis!).map(({ name }) => name);
    };
    expect(remedies(2e-5)).toContain('raise-learning-rate');
    expect(remedies(2.8e-5)).not.toContain('raise-learning-rate');
  });

  it('proposes a later remedy now if no other is left', () => {
    const lines = [epoch6, epoch7].map((line) =>
      withRlaif(line, { reward_weight: 2, kl_penalty: 0.05, generation_temperature: 1.2 }),
    );
    lines.unshift({ epoch: 5, settings: { training: { learning_rate: 3e-6 } } });
    const found = recommend(diagnosisOf(...lines));
    expect(found.map(({ name, when }) => [name, when])).toEqual([
      ['reward-threshold', 'now'],
      ['best-of-n', 'next'],
    ]);
  });

  it('answers drift with a stronger penalty and smaller steps', () => {
    const after = { ...healthyAfter, kl: 0.5 };
    const changes = changesNow(recommend(diagnosisOf(healthyBefore, after)));
    expect(overridesOf(changes)).toEqual({
      rlaif: { kl_penalty: 0.2 },
      training: { learning_rate: 2.5e-6 },
    });
    expect(renderYaml(changes)).toContain('learning_rate: 2.5e-6  # decreased from 5e-6');
  });

  it('leaves kept settings out of overrides', () => {
    const changes = changesNow(recommend(diagnosisOf(epoch6, epoch7)));
    expect(overridesOf(changes)).toEqual({
      rlaif: { reward_weight: 2, generation_temperature: 1.2 },
      training: { learning_rate: 7e-6 },
    });
  });

  it('does not loosen and tighten at the same time', () => {
    expect(remediesOf(epoch6, { ...epoch7, diversity: 0.3 })).toEqual([
      'strengthen-kl',
      'reward-threshold',
      'best-of-n',
      'temperature',
    ]);
  });
});
