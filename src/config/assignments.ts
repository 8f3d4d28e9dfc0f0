// `--set key.path=value` flags: parses them and writes them into the data of a run file.

import { parse } from 'yaml';
import { AnnealError } from '../errors.ts';
import type { KeyPath } from './json-schema.ts';
import type { RunConfig } from './schema/run.ts';

/** A value for one key, which overrides the run file's. */
export interface Assignment {
  path: KeyPath;
  value: unknown;
}

/**
 * Parse `rlaif.kl_penalty=0.05`. The value is YAML, so numbers, booleans, null and lists keep their
 * types.
 *
 * @throws AnnealError InvalidConfig if the flag is not of that form.
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
    throw new AnnealError(
      'InvalidConfig',
      `--set ${flag}: expected a YAML value, found text that is not valid YAML; quote it if it is a string`,
      { cause },
    );
  }
}

/**
 * A copy of `data` with the assignments applied. Missing mappings are created. An entry of a list is
 * addressed by its index or its `name`: `phases.refinement.epochs=[11,12]`.
 *
 * @throws AnnealError InvalidConfig if a path leads through a value that is no mapping or list.
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
    `--set ${path.join('.')}: expected the path to lead through mappings and lists, found ${JSON.stringify(value)}`,
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
    `--set ${path.join('.')}: expected the name of an entry or an index below ${holder.length}, found '${String(segment)}'`,
  );
}

/** Assignments that do not reach every phase, with the phases that set the same key themselves. */
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
