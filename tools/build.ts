// `npm run build`: writes JavaScript, types, Python and the workflow bundles to dist/. An installed
// package runs from there, since Node strips no types under node_modules.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/config/paths.ts';
import { builtBundlePath, writeWorkflowBundle } from '../src/workers/workflow-bundle.ts';

rmSync(join(packageRoot, 'dist'), { recursive: true, force: true });
const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: packageRoot,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
for (const path of globSync('**/*.{py,whl,tar.gz}', { cwd: join(packageRoot, 'src') }))
  cpSync(join(packageRoot, 'src', path), join(packageRoot, 'dist', path));
for (const encodeFailures of [false, true])
  await writeWorkflowBundle(builtBundlePath({ encodeFailures }), { encodeFailures });
console.log('built dist/');
