// `anneal-rl/engine`: sample from and train models in a loop of your own, without Temporal.
// examples/epoch.ts in the repository is such a loop.

export { loadRunFile, resolveConfig } from '../config/load.ts';
export { type Settings, samplingOf, settingsAt } from '../config/schedule.ts';
export type { RunConfig } from '../config/schema/run.ts';
export type { EngineSettings, GenerateJob, ModelInfo, Progress } from '../engine/inference/jobs.ts';
export { readTokenizer, type Tokenizer } from '../engine/text/tokenizer.ts';
export type { TrainStats } from '../records/metrics.ts';
export type { Prompt } from '../records/prompts.ts';
export type { Rollout, ScoredRollout } from '../records/rollouts.ts';
export { type Algorithm, algorithms } from '../rl/algorithms.ts';
export { type BatchSample, buildBatch, type DroppedSample } from '../rl/batch.ts';
export { createModelClient } from '../rl/model-client.ts';
export type { JobOptions, ModelService } from '../rl/model-service.ts';
export type { TrainJob, TrainReport, TrainSample } from '../rl/policy/job.ts';
export { promptsOfEpoch } from '../rl/prompt-order.ts';
