// Reads a run file (YAML or JSON), applies flags and checks the result: defaults < file < flags. All
// problems are listed at once, with their lines. Whether the files it names exist is checked in
// paths.ts and where they are read.

import { readFile } from 'node:fs/promises';
import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import { AnnealError } from '../errors.ts';
import { type Assignment, applyAssignments, parseAssignment } from './assignments.ts';
import type { KeyPath } from './json-schema.ts';
import { formatPath, type Problem, problemsOf } from './problems.ts';
import { type RunConfig, runSchema } from './schema/run.ts';

export interface LoadOptions {
  /** `--set` flags, each `key.path=value`. */
  set?: readonly string[];
  /** Values of `--name` and `--seed`; undefined keeps the file's. */
  overrides?: { name?: string | undefined; seed?: number | undefined };
}

/**
 * Load a run file, fill in its defaults and check it.
 *
 * @throws AnnealError InvalidConfig listing every problem as `path: expected …, found …`.
 */
export async function loadRunFile(path: string, options: LoadOptions = {}): Promise<RunConfig> {
  const file = parseRunFile(await readRunFile(path), path);
  const flags = [
    ...(options.set ?? []).map((flag) => parseAssignment(flag)),
    ...overrides(options),
  ];
  const { data, paths } = applyAssignments(file.data, flags);
  return check(data, path, (key) => {
    const setter = flags.findLast((_, i) => isWithin(key, paths[i]!) || isWithin(paths[i]!, key));
    return setter ? `set by ${setter.flag}` : file.placeOf(key);
  });
}

/**
 * Check parsed data, such as the input of a workflow, and fill in its defaults. A resolved
 * configuration is returned unchanged.
 *
 * @throws AnnealError InvalidConfig as loadRunFile does; `source` names the data in the message.
 */
export function resolveConfig(input: unknown, source = 'run configuration'): RunConfig {
  if (!isMapping(input)) throw notAMapping(source, input);
  return check(input, source, () => undefined);
}

/**
 * The configuration of a run, from the text of the file in its folder. Null if there is none or this
 * version cannot read it: the run's metrics can be shown without it.
 */
export function parseRunConfig(text: string | null): RunConfig | null {
  if (text === null) return null;
  try {
    return resolveConfig(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The origin of the value at a path, such as `line 12`. */
type PlaceOf = (path: KeyPath) => string | undefined;

function overrides(options: LoadOptions): Assignment[] {
  return Object.entries(options.overrides ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ path: [key], value, flag: `--${key}` }));
}

/** Whether a path is `outer` or leads into it. */
function isWithin(path: KeyPath, outer: KeyPath): boolean {
  return `${formatPath(path)}.`.startsWith(`${formatPath(outer)}.`);
}

async function readRunFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new AnnealError(
      'InvalidConfig',
      `${path}: expected a run file, cannot read it: ${reason}`,
      {
        cause,
      },
    );
  }
}

function parseRunFile(text: string, source: string): { data: unknown; placeOf: PlaceOf } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const found = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return `${source}:${line}:${col}: ${error.message}`;
    });
    throw new AnnealError('InvalidConfig', found.join('\n'));
  }
  const data: unknown = document.toJS();
  if (!isMapping(data)) throw notAMapping(source, data);
  return { data, placeOf: (path) => placeOf(document.contents, path, lines) };
}

/** The line of the deepest key on `path` that is in the file. */
function placeOf(contents: unknown, path: KeyPath, lines: LineCounter): string | undefined {
  let node = contents;
  let start: unknown;
  for (const key of path) {
    const step = stepInto(node, key);
    if (!step) break;
    start = step.key;
    node = step.value;
  }
  if (!isNode(start) || !start.range) return undefined;
  return `line ${lines.linePos(start.range[0]).line}`;
}

function stepInto(node: unknown, key: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) return node.items.find((pair) => String(pair.key) === String(key));
  if (!isSeq(node) || typeof key !== 'number' || key >= node.items.length) return undefined;
  return { key: node.items[key], value: node.items[key] };
}

function check(data: unknown, source: string, place: PlaceOf): RunConfig {
  const result = runSchema.safeParse(data);
  if (result.success) return result.data;
  const problems = problemsOf(result.error, data);
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${describe(problem, place)}`);
  throw new AnnealError('InvalidConfig', `${source}: ${count}\n${lines.join('\n')}`, {
    cause: result.error,
  });
}

function describe({ path, message }: Problem, placeOf: PlaceOf): string {
  const place = placeOf(path);
  return `${formatPath(path)}: ${message}${place === undefined ? '' : ` (${place})`}`;
}

function isMapping(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function notAMapping(source: string, found: unknown): AnnealError {
  const what = Array.isArray(found) ? 'a list' : found == null ? 'nothing' : `a ${typeof found}`;
  return new AnnealError(
    'InvalidConfig',
    `${source}: expected a mapping with at least model, prompts and phases, found ${what}. ` +
      'config/two-phase.yaml is a complete example.',
  );
}
