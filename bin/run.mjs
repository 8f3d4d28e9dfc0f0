// Called by the npm scripts: installs the dependencies in the lockfile, then runs the task in the
// pinned Node. `node bin/run.mjs TASK [arguments for the last step]`.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { pinnedNode } from './pinned-node.mjs';
import { exitLike, runNode } from './run-node.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const testReport = join(root, `node_modules/.cache/anneal/test-results-${process.pid}.json`);

const tools = {
  anneal: 'bin/anneal.mjs',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  importGraph: 'tools/import-graph.ts',
  lintPython: 'tools/lint-python.ts',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
};
const check = [tools.tsc, '--noEmit'];
// Biome colours its report of a CI run even if the output is not a terminal.
const plain = process.stdout.isTTY ? [] : ['--colors=off'];
const lint = [tools.biome, 'ci', '--error-on-warnings', ...plain];
const vitest = [tools.vitest, 'run', '--reporter=default', '--reporter=json'];
const testAll = [...vitest, `--outputFile.json=${testReport}`];

/** Steps of each task, run in order until one fails; arguments go to the last. */
const tasks = {
  start: [[tools.anneal, 'run', 'config/two-phase.yaml']],
  check: [check],
  lint: [[tools.lintPython], [tools.importGraph], lint],
  format: [
    [tools.lintPython, '--write'],
    [tools.biome, 'check', '--write'],
  ],
  test: [check, [tools.lintPython], [tools.importGraph], lint, testAll],
  'test:unit': [[...testAll, '--project', 'unit']],
  'test:integration': [[...testAll, '--project', 'integration']],
  bench: [['bench/run.ts']],
  chaos: [['test/chaos/run.ts']],
  busy: [['test/busy/run.ts']],
  long: [['test/long/run.ts']],
  build: [['tools/build.ts']],
  'make:policy': [
    ['tools/embedded/make-data.ts'],
    ['tools/embedded/make-tokenizer.ts'],
    ['tools/embedded/pretrain.ts'],
  ],
  'make:teacher': [['tools/make-teacher.ts']],
};

async function run(task, args) {
  const steps = tasks[task];
  if (!steps)
    throw new Error(`expected one of the tasks ${Object.keys(tasks).join(', ')}, found '${task}'`);
  if (!ensureInstalled(root)) return 1;
  const node = pinnedNode();
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1;
    const endWithParent = step[0] === tools.anneal;
    const end = await runNode(node, last ? [...step, ...args] : step, { cwd: root, endWithParent });
    if (step[0] === tools.vitest) return closeTests(end);
    if (end !== 0) return end;
  }
  return 0;
}

/** Print the number of tests as the last line, and fail if any failed or none ran. */
function closeTests(end) {
  const { passed, failed } = countTests();
  console.log(`${passed} passed, ${failed} failed`);
  return end === 0 && (failed > 0 || passed === 0) ? 1 : end;
}

/** Tests that passed and failed; a file that cannot be loaded counts as one that failed. */
function countTests() {
  try {
    const report = JSON.parse(readFileSync(testReport, 'utf8'));
    rmSync(testReport);
    const broken = report.testResults.filter(
      (file) =>
        file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
  } catch (error) {
    console.error(`no test results: ${error.message}`);
    return { passed: 0, failed: 0 };
  }
}

try {
  exitLike(await run(process.argv[2], process.argv.slice(3)));
} catch (error) {
  console.error(`anneal: ${error.message}`);
  process.exit(1);
}
