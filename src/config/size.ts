// How much a run file may hold. A run that continues as a new execution carries its settings up to
// eight times (its own, and each of three epochs' as the file's and as the epoch's), with metrics, in
// one payload of at most 2 MiB (Temporal's limit.blobSize.error). All shards of an epoch can start
// in one message of at most 4 MiB (gRPC's limit), and rewards and sampling travel with each.

import { AnnealError } from '../errors.ts';
import { distinctEpochs, settingsAt, shardCount } from './schedule.ts';
import type { RunConfig } from './schema/run.ts';

/** Bytes of all settings as JSON, contents of rubric files included. */
export const mostSettingsBytes = 160_000;
const mostMessageBytes = 3_500_000;
/** Bytes of a shard's activity besides the settings that travel with it. */
const activityBytes = 1500;

/** @throws AnnealError InvalidConfig naming the setting that takes most; `source` names the data */
export function checkRunSize(config: RunConfig, source: string): void {
  const all = "all settings of a run together, as Temporal's histories hold them";
  checkBytes(config, mostSettingsBytes, source, all);
  const { rewards, model, rlaif } = config;
  const sent = {
    rewards,
    model: { prompt_format: model.prompt_format },
    rlaif: { stop_strings: rlaif.stop_strings },
  };
  const shards = shardsAtOnce(config);
  const most = Math.floor(mostMessageBytes / shards) - activityBytes;
  const what = `what is sent with each of the ${shards} shards that an epoch has in work at a time (raise engine.shard_prompts for fewer)`;
  checkBytes(sent, most, source, what);
}

/** The largest number of shards of a split; held-out prompts count twice if they are greedy too. */
function shardsAtOnce(config: RunConfig): number {
  const { engine, evaluation, phases } = config;
  const train = phases
    .flatMap(distinctEpochs)
    .map((epoch) => settingsAt(config, epoch).settings.rlaif.prompts_per_epoch);
  const most = train.reduce((a, b) => Math.max(a, b));
  return Math.max(
    shardCount(most, engine.shard_prompts),
    (evaluation.greedy ? 2 : 1) * shardCount(evaluation.prompts, engine.shard_prompts),
  );
}

/**
 * Check the size of data that goes into one payload.
 * @param what names all of it
 * @throws AnnealError InvalidConfig naming the part that takes most
 */
export function checkBytes(data: object, most: number, source: string, what: string): void {
  const bytes = bytesOf(data);
  if (bytes <= most) return;
  const { path, bytes: part } = largestPart(data);
  throw new AnnealError(
    'InvalidConfig',
    `${source}: ${path}: expected at most ${most} bytes of JSON for ${what}, found ${bytes}, of which ${part} here. Shorten it.`,
  );
}

/** The deepest part that takes more than half of all. */
function largestPart(data: object): { path: string; bytes: number } {
  const total = bytesOf(data);
  const path: string[] = [];
  let part: unknown = data;
  for (;;) {
    const parts = typeof part === 'object' && part !== null ? Object.entries(part) : [];
    const large = parts.find(([, value]) => 2 * bytesOf(value) > total) ?? largestOf(parts, path);
    if (!large) return { path: path.join('.'), bytes: bytesOf(part) };
    path.push(large[0]);
    part = large[1];
  }
}

/** At the top, the largest part even if it is less than half. */
function largestOf(parts: [string, unknown][], path: readonly string[]) {
  if (path.length > 0) return undefined;
  return parts.toSorted(([, a], [, b]) => bytesOf(b) - bytesOf(a))[0];
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
