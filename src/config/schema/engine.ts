// The `engine` section: where and how models run.

import { z } from 'zod';
import { positiveInt, sampleCount, seconds } from './numbers.ts';

/** Devices a model can run on; engine/runtime/providers.ts has a provider for each. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

export const engineSchema = z.strictObject({
  device: z.enum(devices).default('cpu').describe('Device that models run on.'),
  threads: positiveInt
    .max(1024)
    .default(2)
    .describe(
      'Threads per operator; part of the run because it can change the last bit of a result.',
    ),
  shard_prompts: sampleCount
    .default(8)
    .describe('Prompts that one generate activity samples as a batch.'),
  snapshot_seconds: z
    .number()
    .min(0)
    .default(10)
    .describe(
      'Minimum time between snapshots during training, in seconds; training that was killed resumes from the last one.',
    ),
  stall_seconds: seconds
    .default(3600)
    .describe(
      'Restart a model process that makes no progress for this many seconds, and repeat its work. The limit must be longer than a training step and a pass over a shard.',
    ),
});

export type EngineConfig = z.output<typeof engineSchema>;
