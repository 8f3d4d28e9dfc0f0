// `npm run long -- [--epochs 1000] [--json]`.

import { parseArgs } from 'node:util';
import { findBinary } from '../../src/workers/server/find-server.ts';
import { long } from './long.ts';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const epochs = Number(flags.epochs);
if (!Number.isInteger(epochs) || epochs < 30)
  throw new Error(`expected a whole number of at least 30, found --epochs ${flags.epochs}`);
const log = (line: string) => console.error(line);
process.env.ANNEAL_TEMPORAL_CLI = (await findBinary({ log })).path;
const report = await long(epochs, log);
const { executions, events, tenths, adjustments } = report;
const row = (label: string, unit: string, values: number[], digits = 0) =>
  `${label}: ${values.map((value) => value.toFixed(digits)).join(', ')} ${unit}`;
if (flags.json) console.log(JSON.stringify(report, null, 2));
else
  console.log(
    [
      `${report.epochs} epochs in ${executions} executions; medians of the first, the middle and the last tenth`,
      row(
        'an epoch',
        's',
        tenths.map(({ seconds }) => seconds),
        2,
      ),
      row(
        'its analysis',
        'ms',
        tenths.map(({ analyzeMs }) => analyzeMs),
      ),
      row(
        'memory of the worker',
        'MB',
        tenths.map(({ worker }) => worker),
      ),
      row(
        'memory of the model process',
        'MB',
        tenths.map(({ engine }) => engine),
      ),
      `events of the longest history: run ${events.run}, epoch ${events.epoch}`,
      `adjustments applied: ${adjustments.heard} of ${adjustments.sent}`,
    ].join('\n'),
  );
const bounded = Math.max(events.run, events.epoch) < 2000;
process.exit(bounded && adjustments.heard === adjustments.sent ? 0 : 1);
