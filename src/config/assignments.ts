// `--set key.path=value` flags: reading them and writing them into a run file's data.

import { parse } from 'yaml';
import { AnnealError } from '../errors.ts';
import type { KeyPath } from './json-schema.ts';
import type { RunConfig } from './schema/run.ts';

/** A value for one key, over what the run file says. */
export interface Assignment {
  path: KeyPath;
  value: unknown;
}

/**
 * Read `rlaif.kl_penalty=0.05`; the value is YAML, so that numbers, booleans, null and lists keep
 * their types.
 *
 * @throws AnnealError InvalidConfig where the flag is not of that form.
 */
export function parseAssignment(flag: string): Assignment {
  const split = flag.indexOf('=');
  if (split < 1)
    throw new AnnealError(
      'InvalidConfig',
      `--set: expected key.path=value, such as rlaif.kl_penalty=0.05, found '${flag}'`,
    );
  try {
    return { path: flag.slice(0, split).split('.'), value: parse(flag.slice(split + 1)) };
  } catch (cause) {
    throw new AnnealError('InvalidConfig', `--set ${flag}: the value is not valid YAML`, { cause });
  }
}

/**
 * `data` with the assignments written into it; `data` itself is left alone. Missing mappings are
 * made. A list's entry is named by its index or by its `name`: `phases.refinement.epochs=[11,12]`.
 *
 * @throws AnnealError InvalidConfig where a path leads through a value that holds no keys.
 */
export function applyAssignments(data: unknown, assignments: readonly Assignment[]): unknown {
  const result = structuredClone(data);
  for (const { path, value } of assignments) assign(result, path, value);
  return result;
}

function assign(root: unknown, path: KeyPath, value: unknown): void {
  let holder = asHolder(root, path);
  for (const segment of path.slice(0, -1)) {
    const key = keyIn(holder, segment, path);
    holder[key] ??= {};
    holder = asHolder(holder[key], path);
  }
  holder[keyIn(holder, path.at(-1) ?? '', path)] = value;
}

type Holder = Record<PropertyKey, unknown>;

function asHolder(value: unknown, path: KeyPath): Holder {
  if (typeof value === 'object' && value !== null) return value as Holder;
  throw new AnnealError(
    'InvalidConfig',
    `--set ${path.join('.')}: expected a mapping or a list on the way, found ${JSON.stringify(value)}`,
  );
}

function keyIn(holder: Holder, segment: PropertyKey, path: KeyPath): PropertyKey {
  if (!Array.isArray(holder)) return segment;
  const named = holder.findIndex((entry) => entry?.name === segment);
  if (named >= 0) return named;
  const index = Number(segment);
  if (Number.isInteger(index) && index >= 0 && index < holder.length) return index;
  throw new AnnealError(
    'InvalidConfig',
    `--set ${path.join('.')}: expected an entry's name or an index under ${holder.length}, found '${String(segment)}'`,
  );
}

/**
 * Assignments that change less than they seem to: each names the phases whose own value of that
 * key stays in force.
 */
export function shadowedAssignments(
  assignments: readonly Assignment[],
  config: RunConfig,
): { key: string; phases: string[] }[] {
  return assignments.flatMap(({ path }) => {
    const [section, key] = path;
    if ((section !== 'rlaif' && section !== 'training') || key === undefined) return [];
    const phases = config.phases
      .filter((phase) => (phase[section] as Holder)[key] !== undefined)
      .map((phase) => phase.name);
    return phases.length > 0 ? [{ key: path.join('.'), phases }] : [];
  });
}
