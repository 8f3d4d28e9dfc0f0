// `npm run chaos -- [--kills 30] [--seed 0] [--json]`.

import { parseArgs } from 'node:util';
import { findBinary } from '../../src/workers/server/find-server.ts';
import { chaos } from './chaos.ts';

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    seed: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const [kills, seed] = [Number(flags.kills), Number(flags.seed)];
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed))
  throw new Error(`expected whole numbers, found --kills ${flags.kills} --seed ${flags.seed}`);
const log = (line: string) => console.error(line);
process.env.ANNEAL_TEMPORAL_CLI = (await findBinary({ log })).path;
const report = await chaos(kills, seed, log);
const same = report.disturbed.filter(
  ({ checkpoint, metrics }) =>
    checkpoint === report.calm.checkpoint && metrics === report.calm.metrics,
).length;
if (flags.json) console.log(JSON.stringify(report, null, 2));
else {
  const seconds = report.kills.map(({ resumed }) => resumed).sort((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)]!;
  const lost = report.disturbed.reduce((sum, { wall }) => sum + wall - report.calm.wall, 0);
  const retried = report.disturbed.reduce((sum, { retried }) => sum + retried, 0);
  console.log(
    [
      `${kills} kills over ${report.disturbed.length} runs (seed ${seed})`,
      `the same bits as the undisturbed run: ${same} of ${report.disturbed.length}`,
      `time to resume: median ${median.toFixed(1)} s, worst ${seconds.at(-1)!.toFixed(1)} s`,
      `longer than undisturbed (${report.calm.wall.toFixed(0)} s): ${(lost / kills).toFixed(1)} s per kill; ${retried} activities retried`,
    ].join('\n'),
  );
}
process.exit(same === report.disturbed.length ? 0 : 1);
