// The `engine` section: where and how models run.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';

/** Devices a model can run on; engine/runtime/providers.ts has a provider for each. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

export const engineSchema = z.strictObject({
  device: z.enum(devices).default('cpu').describe('Where models run.'),
  threads: positiveInt
    .default(2)
    .describe('Threads of one operator; part of the run, for it can change the last bit.'),
  shard_prompts: positiveInt
    .default(8)
    .describe('Prompts one generate activity samples as one batch.'),
  snapshot_seconds: z
    .number()
    .min(0)
    .default(10)
    .describe(
      'Least time between snapshots of training, of a policy or of a reward model, from which a killed one goes on.',
    ),
  stall_seconds: z
    .number()
    .positive()
    .default(3600)
    .describe(
      'A model process that gets no further for so long is ended and its work done again; more than a training step or a pass over a shard takes.',
    ),
});

export type EngineConfig = z.output<typeof engineSchema>;
