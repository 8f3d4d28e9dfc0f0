// What two programs have in common that differ in layout, comments and the names of their own
// variables alone: one text for both. Other rewritings, of order or of syntax, stay apart.

import { type Program, parse } from 'acorn';
import type { Scope, Variable } from 'eslint-scope';
import { ecmaVersion, scopesOf } from '../javascript.ts';

/** Fields of a node that tell where and how it was written, not what it is. */
const layoutFields = new Set(['start', 'end', 'range', 'shorthand']);

/**
 * The syntax tree as JSON, every variable that the program declares renamed by the order in which
 * it first occurs; names of globals, of properties and of labels stay. Null where it does not parse.
 */
export function normalFormOf(source: string): string | null {
  try {
    const ast = parse(source, { ecmaVersion, ranges: true });
    const names = localNames(ast);
    return JSON.stringify(ast, function (key, value) {
      if (isLayout(this, key)) return undefined;
      const number = names.get(value);
      return number === undefined ? plain(value) : { type: 'Identifier', name: `#${number}` };
    });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

/** How a literal is spelled says nothing; the raw text of a template is a value. */
function isLayout(holder: { type?: string }, key: string): boolean {
  return layoutFields.has(key) || (key === 'raw' && holder.type === 'Literal');
}

/** JSON has no bigints (which nodes hold as text too) and no infinity. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return undefined;
  return value === Number.POSITIVE_INFINITY ? { infinite: true } : value;
}

/** An identifier in a tree that has ranges. */
export interface LocalIdentifier {
  name: string;
  range: [number, number];
}

/** The identifiers that belong to a program's own variables, each with its variable's number. */
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

/** `arguments` is a variable that nothing declares. */
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
