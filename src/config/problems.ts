// Describes the problems of a run file: zod's issues become lines of the form
// `path: expected …, found …`, and an unknown key comes with the nearest known one.

import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { allKeys, describeAt, type KeyPath, keysAt, kindOf, schemasAt } from './json-schema.ts';

/** One problem; `path` leads to the offending key. */
export interface Problem {
  path: KeyPath;
  message: string;
}

/** The problems that zod found in `input`, in the order of the schema. */
export function problemsOf(error: z.ZodError, input: unknown): Problem[] {
  return listProblems(error.issues, input);
}

function listProblems(issues: readonly z.core.$ZodIssue[], input: unknown): Problem[] {
  return issues.flatMap((issue) => {
    const meant = issuesOfMapping(issue, input);
    if (meant.length > 0) return listProblems(meant, input);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: `unknown key; ${suggestKey(issue.path, key)}`,
      }));
    return [{ path: issue.path, message: messageOf(issue, input) }];
  });
}

/** A path as in `phases.1.rlaif.kl_penalty`; `(the file)` for the whole file. */
export function formatPath(path: KeyPath): string {
  return path.length === 0 ? '(the file)' : path.map(String).join('.');
}

/** Known KL placements that are refused, with the reason (arXiv 2510.01555, 2512.21852). */
const unsound: Readonly<Record<string, string>> = {
  k1_loss: 'the gradient of k1 in the loss is zero in expectation, so it adds noise and no penalty',
  k3_reward: 'k3 in the reward is a biased and unbounded penalty, which destabilises training',
  k3_loss: 'the gradient of k3 in the loss is not that of the KL; use k2_loss',
  k2_reward: 'k2 in the reward is a biased penalty; use k1_reward',
};

/** For a mapping that fits no part of a union: its problems as each mapping that the union allows. */
function issuesOfMapping(issue: z.core.$ZodIssue, input: unknown): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || !isMapping(valueAt(input, issue.path))) return [];
  const within = issue.errors.filter((errors) =>
    errors.some(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  return within.flat().map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'custom') {
    // The values of a ramp are checked against the key that it sets.
    const constant = issue.params?.constantOf as KeyPath | undefined;
    return constant ? `expected ${describeAt(constant)}, ${issue.message}` : issue.message;
  }
  const found = describeFound(valueAt(input, issue.path));
  const why = issue.path.at(-1) === 'kl_placement' && unsound[String(valueAt(input, issue.path))];
  const expected = issue.code === 'invalid_format' ? issue.message : describeAt(issue.path);
  return `expected ${expected}, found ${found}${why ? `: ${why}` : ''}`;
}

/** The value at `path` of parsed data; undefined if there is none. */
function valueAt(input: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input,
  );
}

function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A hint for an unknown key: another kind, a similar key, a key of another section. */
function suggestKey(parent: KeyPath, key: string): string {
  const here = keysAt(parent);
  if (here.includes(key)) {
    const kinds = schemasAt(parent).filter(({ properties }) => properties?.[key]);
    const names = kinds.map((node) => kindOf(node)?.name).join(' or ');
    return `it belongs to ${kindOf(kinds[0]!)?.key} ${names}`;
  }
  const near = nearest(key, here);
  if (near) return `did you mean '${near}'?`;
  const elsewhere = allKeys().find(
    ({ path }) => !path.includes('[]') && path.endsWith(`.${key}`),
  )?.path;
  if (elsewhere) return `did you mean '${elsewhere}'?`;
  return `known here: ${here.join(', ')}`;
}

function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editsBetween(key, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (best && best.edits <= Math.max(1, key.length / 3)) return best.candidate;
  return known.find((candidate) => candidate.split('_').includes(key));
}

/** Edits of one letter each; transposed letters count as one edit. */
function editsBetween(a: string, b: string): number {
  const letters = (word: string) => [...word].sort().join('');
  return a !== b && letters(a) === letters(b) ? 1 : distance(a, b);
}
