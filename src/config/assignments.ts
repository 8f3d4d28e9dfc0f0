// `--set key.path=value` flags: parses them and writes them into the data of a run file.

import { parse } from 'yaml';
import { AnnealError } from '../errors.ts';
import { type KeyPath, schemasAt } from './json-schema.ts';
import type { RunConfig } from './schema/run.ts';

/** A value for one key, which overrides the run file's. */
export interface Assignment {
  path: KeyPath;
  value: unknown;
  /** The flag as a person wrote it, for messages. */
  flag: string;
}

/**
 * Parse `rlaif.kl_penalty=0.05`. The value is YAML, so numbers, booleans, null and lists keep their
 * types.
 *
 * @param option what the flag follows, for messages.
 * @throws AnnealError InvalidConfig if the flag is not of that form.
 */
export function parseAssignment(flag: string, option = '--set'): Assignment {
  const split = flag.indexOf('=');
  const path = flag.slice(0, split).split('.');
  if (split < 1 || path.some((key) => key === '' || key === '__proto__'))
    throw refused(option, 'key.path=value, such as rlaif.kl_penalty=0.05', `'${shortened(flag)}'`);
  const text = flag.slice(split + 1);
  const value = parseValue(flag, text, option);
  if (value === null && !/null|~/i.test(text))
    throw refused(
      `${option} ${shortened(flag)}`,
      "a value after '='",
      'nothing; null and "" have to be written out',
    );
  return { path, value, flag: shortened(flag) };
}

function parseValue(flag: string, text: string, option: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch (cause) {
    const found = 'text that is not valid YAML; quote it if it is a string';
    throw refused(`${option} ${shortened(flag)}`, 'a YAML value', found, cause);
  }
}

function refused(subject: string, expected: string, found: string, cause?: unknown): AnnealError {
  const message = `${subject}: expected ${expected}, found ${found}`;
  return new AnnealError('InvalidConfig', message, { cause });
}

function shortened(flag: string): string {
  return flag.length > 80 ? `${flag.slice(0, 77)}…` : flag;
}

/**
 * A copy of `data` with the assignments applied, and the path of each with indices for names. Missing
 * mappings are created. An entry of a list is addressed by its index or its `name`:
 * `phases.refinement.epochs=[11,12]`.
 *
 * @throws AnnealError InvalidConfig if a path leads through a value that is no mapping or list.
 */
export function applyAssignments(
  data: unknown,
  assignments: readonly Assignment[],
): { data: unknown; paths: KeyPath[] } {
  const result = structuredClone(data);
  return { data: result, paths: assignments.map((assignment) => assign(result, assignment)) };
}

function assign(root: unknown, assignment: Assignment): KeyPath {
  const { path, value } = assignment;
  const found: PropertyKey[] = [];
  let holder = asHolder(root, found, assignment);
  for (const [depth, segment] of path.entries()) {
    const key = keyIn(holder, segment, found, assignment);
    found.push(key);
    if (depth === path.length - 1) holder[key] = value;
    else {
      const isSet = Object.hasOwn(holder, key) && holder[key] !== null;
      if (!isSet) holder[key] = isList(found) ? [] : {};
      holder = asHolder(holder[key], found, assignment);
    }
  }
  return found;
}

type Holder = Record<PropertyKey, unknown>;

function isList(path: KeyPath): boolean {
  const nodes = schemasAt(path);
  return nodes.length > 0 && nodes.every(({ items, prefixItems }) => items ?? prefixItems);
}

function asHolder(value: unknown, at: KeyPath, { flag }: Assignment): Holder {
  if (typeof value === 'object' && value !== null) return value as Holder;
  throw new AnnealError(
    'InvalidConfig',
    `--set ${flag}: expected the path to lead through mappings and lists, found ${JSON.stringify(value)} at ${at.join('.')}`,
  );
}

function keyIn(holder: Holder, segment: PropertyKey, at: KeyPath, { flag }: Assignment) {
  if (!Array.isArray(holder)) return segment;
  const named = holder.findIndex((entry) => entry?.name === segment);
  if (named >= 0) return named;
  const index = Number(segment);
  if (Number.isInteger(index) && index >= 0 && index < holder.length) return index;
  const list = at.join('.');
  const names = holder.flatMap((entry) => entry?.name ?? []);
  const expected =
    holder.length === 0
      ? `an entry of ${list}, which the run file leaves out or empty; set all of it, as ${list}=[…]`
      : `${names.length > 0 ? `a name (${names.join(', ')}) or ` : ''}an index below ${holder.length} in ${list}`;
  throw new AnnealError(
    'InvalidConfig',
    `--set ${flag}: expected ${expected}, found '${String(segment)}'`,
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
