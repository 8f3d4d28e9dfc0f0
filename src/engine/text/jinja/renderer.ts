// Renders chat templates in a process of their own, which starts with the first one and is ended
// by one that fills its memory or holds it. template-process.ts is the other end.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Turns } from '../../../collections/turns.ts';
import { packageRoot } from '../../../config/paths.ts';
import { AnnealError } from '../../../errors.ts';
import { ChildService, entryUrl } from '../../../process/child-service.ts';
import type { RenderOutcome, TemplateMethods } from './protocol.ts';

/** A call that is not answered in this time is stuck where the interpreter counts no steps. */
const stallMs = 10 * 60_000;
/** Texts of one call, which share its limit of steps. */
const textsPerCall = 64;

const pyodideFolder = dirname(createRequire(import.meta.url).resolve('pyodide'));
const pyodide = pathToFileURL(join(pyodideFolder, 'pyodide.mjs')).href;
const readable = [
  join(fileURLToPath(new URL('../../..', import.meta.url)), '*'),
  join(packageRoot, 'package.json'),
  join(pyodideFolder, '*'),
];
const service = new ChildService<TemplateMethods>({
  entry: entryUrl(import.meta.url, './template-process'),
  name: 'chat template',
  execArgv: [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    '--disallow-code-generation-from-strings',
  ],
  env: {},
});

/** One call at a time: a template that is ended with its process takes no other with it. */
const turns = new Turns();

/** A text for each of the variables, or the first failure. */
export async function renderTemplate(
  template: string,
  variables: readonly Record<string, unknown>[],
): Promise<RenderOutcome> {
  const texts: string[] = [];
  for (let start = 0; start < variables.length; start += textsPerCall) {
    const part = variables.slice(start, start + textsPerCall);
    const outcome = await turns.run(() => render(template, part));
    if ('failure' in outcome) return outcome;
    texts.push(...outcome.texts);
  }
  return { texts };
}

async function render(
  template: string,
  variables: Record<string, unknown>[],
): Promise<RenderOutcome> {
  try {
    const outcome = await service.call('render', { pyodide, template, variables }, { stallMs });
    if ('failure' in outcome && outcome.failure === 'memory') await service.close();
    return outcome;
  } catch (error) {
    if (!(error instanceof AnnealError) || error.kind !== 'ProcessStalled') throw error;
    return { failure: 'limit', reason: 'it takes too long' };
  }
}
