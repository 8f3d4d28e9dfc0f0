// Says in words what is wrong with a run file: zod's issues become lines of the form
// `path: expected …, found …`, unknown keys come with the nearest known one.

import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { allKeys, describeValues, type KeyPath, keysAt, kindOf, schemasAt } from './json-schema.ts';

/** One thing that is wrong, and where; `path` leads to the offending key. */
export interface Problem {
  path: KeyPath;
  message: string;
}

/** The problems of `input` that zod found, in the order of the file's schema. */
export function problemsOf(error: z.ZodError, input: unknown): Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: `unknown key; ${suggestKey(issue.path, key)}`,
      }));
    return [{ path: issue.path, message: messageOf(issue, input) }];
  });
}

/** A path as people write it: `phases.1.rlaif.kl_penalty`; the whole file is `(the file)`. */
export function formatPath(path: KeyPath): string {
  return path.length === 0 ? '(the file)' : path.map(String).join('.');
}

/** KL placements that are refused on purpose, with the reason (arXiv 2510.01555, 2512.21852). */
const unsound: Readonly<Record<string, string>> = {
  k1_loss: 'the gradient of k1 in the loss is zero in expectation, so it adds noise and no penalty',
  k3_reward: 'k3 in the reward is a biased penalty without bound, which destabilises training',
  k3_loss: "the gradient of k3 in the loss is not KL's; k2 in the loss has the right one",
  k2_reward: "k2 in the reward is not KL's penalty; k1 in the reward is",
};

function messageOf(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const found = describeFound(valueAt(input, issue.path));
  const why = issue.path.at(-1) === 'kl_placement' && unsound[String(valueAt(input, issue.path))];
  const expected =
    issue.code === 'invalid_format'
      ? issue.message
      : schemasAt(issue.path).map(describeValues).join(' or ');
  return `expected ${expected}, found ${found}${why ? `: ${why}` : ''}`;
}

/** The value at `path` of parsed data, undefined where the path leads nowhere. */
export function valueAt(input: unknown, path: KeyPath): unknown {
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

/** What was meant: another kind, a near miss, a word of a longer key, a key of another place. */
function suggestKey(parent: KeyPath, key: string): string {
  const here = keysAt(parent);
  if (here.includes(key)) {
    const kinds = schemasAt(parent).filter(({ properties }) => properties?.[key]);
    return `it goes with kind ${kinds.map(kindOf).join(' or ')}`;
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
    .map((candidate) => ({ candidate, edits: distance(key, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (best && best.edits <= Math.max(1, key.length / 3)) return best.candidate;
  return known.find((candidate) => candidate.split('_').includes(key));
}
