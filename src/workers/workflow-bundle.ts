// The bundle of src/workflows/index.ts that workers load: part of the package, and in a checkout
// rebuilt when its sources change.

import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { packageRoot } from '../config/paths.ts';
import { failureConverterPath } from './payloads/data-converter.ts';

export interface BundleOptions {
  /** Put error texts into payloads, so that a codec encrypts them. */
  encodeFailures?: boolean;
}

/** Path of the bundle in the build and in an installed package. */
export function builtBundlePath(options: BundleOptions = {}): string {
  return join(packageRoot, 'dist', fileName(options));
}

function fileName({ encodeFailures }: BundleOptions, suffix = ''): string {
  return `workflow-bundle${encodeFailures ? '-encoding-failures' : ''}${suffix}.js`;
}

const sourceFolder = join(packageRoot, 'src');
/** Every source that workflows may import values from (biome.json has the same list). */
const sources = [
  'workflows/**/*.ts',
  'analysis/**/*.ts',
  'config/**/*.ts',
  'records/**/*.ts',
  'activities/task-queues.ts',
  'collections/map-concurrently.ts',
  'errors.ts',
  'workers/payloads/failure-converter.ts',
];

/** The bundle for a worker's `workflowBundle`. In a checkout it is rebuilt if it is stale. */
export async function workflowBundle(options: BundleOptions = {}): Promise<{ codePath: string }> {
  if (!isCheckout()) return { codePath: builtBundlePath(options) };
  const name = fileName(options, `-${sourceHash()}`);
  const codePath = join(packageRoot, 'node_modules', '.cache', 'anneal', name);
  if (!existsSync(codePath)) await writeWorkflowBundle(codePath, options);
  return { codePath };
}

/** Bundle the checkout's workflows into a file, atomically. */
export async function writeWorkflowBundle(path: string, options: BundleOptions): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(sourceFolder, 'workflows', 'index.ts'),
    ...(options.encodeFailures && { failureConverterPath }),
    logger: new DefaultLogger('WARN'),
  });
  const temporary = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, code);
  await rename(temporary, path);
}

function isCheckout(): boolean {
  return fileURLToPath(import.meta.url).startsWith(sourceFolder);
}

/** Hash of the sources and of the version of the SDK that bundles them. */
function sourceHash(): string {
  const hash = createHash('sha256');
  const sdk = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    version: string;
  };
  hash.update(sdk.version);
  for (const file of globSync(sources, { cwd: sourceFolder }).sort()) {
    if (file.endsWith('.test.ts')) continue;
    hash.update(`\0${file}\0`).update(readFileSync(join(sourceFolder, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
