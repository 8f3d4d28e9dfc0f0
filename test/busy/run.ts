// `npm run busy -- [--programs 2000] [--load 20] [--prompts FILE]... [--json]`.

import { parseArgs } from 'node:util';
import { readPrompts } from '../../src/rewards/prompts.ts';
import { compareBusy } from './busy.ts';
import { programsOf } from './programs.ts';

const { values: flags } = parseArgs({
  options: {
    programs: { type: 'string', default: '2000' },
    load: { type: 'string', default: '20' },
    'load-priority': { type: 'string', default: '19' },
    prompts: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});
const [count, load, loadPriority] = [
  Number(flags.programs),
  Number(flags.load),
  Number(flags['load-priority']),
];
if (![count, load, loadPriority].every(Number.isInteger) || count < 1 || load < 0)
  throw new Error(
    `expected whole numbers, found --programs ${flags.programs} --load ${flags.load}`,
  );
const root = new URL('../../', import.meta.url).pathname;
const own = ['data/train.jsonl', 'data/held-out.jsonl', 'examples/python-prompts.jsonl'];
const files = [...own.map((file) => root + file), ...flags.prompts];
const prompts = (await Promise.all(files.map(readPrompts))).flat();
const trouble = { load, loadPriority, priority: 19, stopEveryMs: 2000 };
const log = (line: string) => console.error(line);
const report = await compareBusy(programsOf(prompts, count), trouble, log);
if (flags.json) console.log(JSON.stringify(report, null, 2));
else {
  const { quiet, busy } = report.seconds;
  console.log(
    [
      `${report.programs} programs, ${report.passed} of which pass`,
      `other outcomes when busy: ${report.different.length}`,
      ...report.different.map((it) => `  ${it.name}: ${it.quiet} | ${it.busy}`),
      `load of ${load}; sandboxes stopped ${report.stops} times, and half of the time at priority 19`,
      `seconds: ${quiet.toFixed(0)} quiet, ${busy.toFixed(0)} busy`,
    ].join('\n'),
  );
}
process.exit(report.different.length === 0 ? 0 : 1);
