// The normal form of JavaScript: one text for programs that differ only in layout, comments and the
// names of their own variables. Programs that differ in order or syntax have different ones.

import type { Program } from 'acorn';
import type { Scope, Variable } from 'eslint-scope';
import { scopesOf } from '../javascript.ts';
import { parseWithin, UnreadableProgram, withinStack } from '../parse.ts';

/** Fields of a node that describe its position and spelling, not its meaning. */
const layoutFields = new Set(['start', 'end', 'range', 'shorthand']);

/**
 * The syntax tree as JSON. Variables that the program declares are numbered by first occurrence;
 * names of globals, properties and labels stay. Null if it does not parse or cannot be read.
 */
export function normalFormOf(source: string): string | null {
  try {
    const ast = parseWithin(source, { ranges: true });
    return withinStack(() => normalFormOfTree(ast));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UnreadableProgram) return null;
    throw error;
  }
}

function normalFormOfTree(ast: Program): string {
  const names = localNames(ast);
  return JSON.stringify(ast, function (key, value) {
    if (isLayout(this, key)) return undefined;
    const number = names.get(value);
    return number === undefined ? plain(value) : { type: 'Identifier', name: `#${number}` };
  });
}

/** The spelling of a literal does not matter; the raw text of a template is a value. */
function isLayout(holder: { type?: string }, key: string): boolean {
  return layoutFields.has(key) || (key === 'raw' && holder.type === 'Literal');
}

/** JSON has no bigint (nodes also hold it as text) and no infinity. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return undefined;
  return value === Number.POSITIVE_INFINITY ? { infinite: true } : value;
}

/** An identifier in a tree that has ranges. */
export interface LocalIdentifier {
  name: string;
  range: [number, number];
}

/** Maps each identifier of a program's own variables to its variable's number. */
export function localNames(ast: Program): Map<unknown, number> {
  const variables = scopesOf(ast).scopes.flatMap(declaredIn);
  const uses = variables.flatMap((variable) =>
    identifiersOf(variable).map((identifier) => ({ variable, identifier })),
  );
  const order = new Map<Variable, number>();
  return new Map(
    uses.sort(bySourcePosition).map(({ variable, identifier }) => {
      const number = order.get(variable) ?? order.size;
      order.set(variable, number);
      return [identifier, number] as const;
    }),
  );
}

/** Excludes `arguments`, a variable that nothing declares. */
function declaredIn({ variables }: Scope): Variable[] {
  return variables.filter(({ defs }) => defs.length > 0);
}

function identifiersOf({ identifiers, references }: Variable): Variable['identifiers'] {
  return [
    ...identifiers,
    ...references.map(({ identifier }) => identifier as (typeof identifiers)[0]),
  ];
}

interface Use {
  identifier: { range?: [number, number] | undefined };
}

function bySourcePosition(a: Use, b: Use): number {
  return a.identifier.range![0] - b.identifier.range![0];
}
