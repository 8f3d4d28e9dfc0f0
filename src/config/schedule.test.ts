import { describe, expect, it } from 'vitest';
import {
  beginsLaterPhase,
  distinctEpochs,
  firstEpochOf,
  lastEpochOf,
  phaseOf,
  refittedRewards,
  resetsReference,
  settingsAt,
  shardCount,
} from './schedule.ts';
import { runSchema } from './schema/run.ts';

const config = runSchema.parse({
  model: { path: 'm' },
  prompts: { train: 't', held_out: 'h' },
  rlaif: { kl_penalty: 0.2, generation_temperature: 1.1 },
  phases: [
    { name: 'exploration', epochs: [8, 10], rlaif: { kl_penalty: 0.05 } },
    {
      name: 'refinement',
      epochs: [11, 15],
      reset_reference: true,
      training: { learning_rate: 0.5 },
    },
  ],
});

describe('phases', () => {
  it('cover the epochs from the first to the last, inclusive', () => {
    expect([firstEpochOf(config), lastEpochOf(config)]).toEqual([8, 15]);
    expect([7, 8, 10, 11, 15, 16].map((epoch) => phaseOf(config, epoch)?.name)).toEqual([
      undefined,
      'exploration',
      'exploration',
      'refinement',
      'refinement',
      undefined,
    ]);
  });

  it('take a new reference at their first epoch if reset_reference is set', () => {
    const [exploration, refinement] = config.phases;
    expect(resetsReference(exploration!, 8)).toBe(false);
    expect(resetsReference(refinement!, 11)).toBe(true);
    expect(resetsReference(refinement!, 12)).toBe(false);
  });
});

describe('settingsAt', () => {
  it("overrides the run file's settings with the phase's", () => {
    const { phase, settings } = settingsAt(config, 10);
    expect(phase.name).toBe('exploration');
    expect(settings.rlaif).toEqual({ ...config.rlaif, kl_penalty: 0.05 });
    expect(settings.training).toEqual(config.training);
    expect(settingsAt(config, 11).settings.rlaif.kl_penalty).toBe(0.2);
  });

  it('overrides both with a change; undefined keys change nothing', () => {
    const change = { rlaif: { kl_penalty: 0.3 }, training: { learning_rate: undefined } };
    const { settings } = settingsAt(config, 11, change as object);
    expect(settings.rlaif.kl_penalty).toBe(0.3);
    expect(settings.training.learning_rate).toBe(0.5);
  });

  it('resolves ramps over the epochs of the phase; a change overrides them', () => {
    const ramped = structuredClone(config);
    ramped.phases[0]!.rlaif = { generation_temperature: { ramp: 'linear', from: 1.3, to: 1.1 } };
    const at = (epoch: number, change = {}) =>
      settingsAt(ramped, epoch, change).settings.rlaif.generation_temperature;
    expect([8, 9, 10, 11].map((epoch) => at(epoch))).toEqual([1.3, 1.2, 1.1, 1.1]);
    expect(at(9, { rlaif: { generation_temperature: 2 } })).toBe(2);
    expect(distinctEpochs(ramped.phases[0]!)).toEqual([8, 9, 10]);
    expect(distinctEpochs(ramped.phases[1]!)).toEqual([11]);
  });

  it('refuses epochs outside the run', () => {
    expect(() => settingsAt(config, 16)).toThrow('found 16');
  });
});

describe('beginsLaterPhase', () => {
  it('is true at the first epoch of every phase but the first', () => {
    const epochs = [8, 9, 10, 11, 12].filter((epoch) => beginsLaterPhase(config, epoch));
    expect(epochs).toEqual([11]);
  });
});

describe('refittedRewards', () => {
  it('counts the index among reward models only', () => {
    const model = { kind: 'reward_model', path: 'm' };
    const rewards = [
      { kind: 'rubric' },
      { ...model, name: 'fixed' },
      { ...model, name: 'fitted', refit: { judge: 'rubric' } },
    ];
    const found = refittedRewards(runSchema.parse({ ...config, rewards }));
    expect(found).toMatchObject([
      { index: 1, reward: { name: 'fitted' }, refit: { min_pairs: 32 } },
    ]);
  });
});

it.each([
  [96, 8, 12],
  [97, 8, 13],
  [5, 8, 1],
])('shardCount(%i, %i) is %i', (prompts, perShard, shards) => {
  expect(shardCount(prompts, perShard)).toBe(shards);
});
