// Findings about names: unused, undeclared, poorly chosen.

import type { AnyNode } from 'acorn';
import type { Definition, Variable } from 'eslint-scope';
import { languageNames, namesOfRuns } from '../programs/globals.ts';
import { nodesOf, type ParsedProgram, textOf } from '../programs/javascript.ts';

/** Single letters that are customary for a parameter: a count, a number, coordinates. */
const customaryLetters = new Set(['n', 'x', 'y']);

/** Variables that the program declares itself. */
function declared(program: ParsedProgram): { variable: Variable; definition: Definition }[] {
  return program.scopes.scopes.flatMap((scope) =>
    scope.variables.flatMap((variable) => {
      const definition = variable.defs[0];
      return definition ? [{ variable, definition }] : [];
    }),
  );
}

const isRead = (variable: Variable) => variable.references.some((use) => use.isRead());
const isEntryNode = ({ asked }: ParsedProgram, node: unknown) =>
  asked !== null && node === asked.entry;
/** Whether the variable is the entry. */
const isEntry = (program: ParsedProgram, { defs }: Variable) =>
  defs.some(
    ({ type, node }) =>
      type !== 'Parameter' &&
      (isEntryNode(program, node) || isEntryNode(program, (node as { init?: unknown }).init)),
  );
const parentOf = (program: ParsedProgram, node: unknown) => program.parents.get(node as AnyNode);

/** Variables, functions and imports that nothing reads; the entry is called from outside. */
export function unusedVariables(program: ParsedProgram): number {
  return declared(program).filter(
    ({ variable, definition }) =>
      definition.type !== 'Parameter' && !isRead(variable) && !isEntry(program, variable),
  ).length;
}

/**
 * Parameters that nothing reads. For the entry, all count; for other functions, those after the
 * last one that is read, unless their name begins with an underscore.
 */
export function unusedParameters(program: ParsedProgram): number {
  return program.scopes.scopes.reduce((count, scope) => {
    if (scope.type !== 'function') return count;
    const params = scope.variables.filter(({ defs }) => defs[0]?.type === 'Parameter');
    if (isEntryNode(program, scope.block)) return count + params.filter((p) => !isRead(p)).length;
    const trailing = params.slice(params.findLastIndex(isRead) + 1);
    return count + trailing.filter(({ name }) => !name.startsWith('_')).length;
  }, 0);
}

/** Distinct names that are neither declared nor part of the language. */
export function undeclaredNames(program: ParsedProgram): number {
  const unresolved = program.scopes.globalScope?.through ?? [];
  const names = unresolved.map(({ identifier }) => (identifier as { name: string }).name);
  const isKnown = (name: string) =>
    languageNames.has(name) || (!program.asked && namesOfRuns.has(name));
  return new Set(names.filter((name) => !isKnown(name))).size;
}

/** Names declared more than once in the same scope. */
export function redeclaredNames(program: ParsedProgram): number {
  return declared(program).filter(({ variable }) => variable.defs.length > 1).length;
}

/** Names that hide a name of an enclosing scope of the program. */
export function shadowingNames(program: ParsedProgram): number {
  return declared(program).filter(({ variable }) => {
    for (let scope = variable.scope.upper; scope; scope = scope.upper)
      if (scope.set.get(variable.name)?.defs.length && scope.type !== 'function-expression-name')
        return true;
    return false;
  }).length;
}

/** Variables declared with `let` and assigned only once. */
export function neverReassigned(program: ParsedProgram): number {
  return declared(program).filter(({ variable, definition }) => {
    const { parent } = definition as { parent?: { kind?: string } | null };
    const writes = variable.references.filter((use) => use.isWrite());
    return parent?.kind === 'let' && writes.length > 0 && writes.every((use) => use.init);
  }).length;
}

/** Parameters that are assigned to. */
export function reassignedParameters(program: ParsedProgram): number {
  return declared(program).filter(
    ({ variable, definition }) =>
      definition.type === 'Parameter' &&
      variable.references.some((use) => use.isWrite() && !use.init),
  ).length;
}

/**
 * Names of one letter, except for the entry's own, loop counters, parameters of inline one-line
 * functions, and parameters called n, x or y.
 */
export function singleLetterNames(program: ParsedProgram): number {
  return declared(program).filter(({ variable, definition }) => {
    const { name } = variable;
    if (name.length > 1 || name === '_' || isEntry(program, variable)) return false;
    if (definition.type === 'Parameter')
      return !customaryLetters.has(name) && !isInline(definition.node as AnyNode);
    const declaration = (definition as { parent?: unknown }).parent as AnyNode | undefined;
    const around = declaration && parentOf(program, declaration);
    return around?.type !== 'ForStatement';
  }).length;
}

function isInline(node: AnyNode): boolean {
  return node.type === 'ArrowFunctionExpression' && node.expression;
}

/** Counting loops over a list that only take each element. */
export function countedWalks(program: ParsedProgram): number {
  return nodesOf(program, 'ForStatement').filter((loop) => {
    const scope = program.scopes.acquire(loop as never);
    const { init, test } = loop;
    if (init?.type !== 'VariableDeclaration' || test?.type !== 'BinaryExpression') return false;
    const [first, ...others] = init.declarations;
    if (!first?.init || others.length > 0 || textOf(program, first.init) !== '0') return false;
    const { right } = test;
    if (right.type !== 'MemberExpression' || textOf(program, right.property) !== 'length')
      return false;
    const name = textOf(program, first.id);
    const variable = scope?.set.get(name) ?? variableOf(program, init);
    const inBody = variable?.references.filter(({ identifier }) => isWithin(identifier, loop.body));
    const list = textOf(program, right.object);
    return !!inBody?.length && inBody.every((use) => takesFrom(program, use.identifier, list));
  }).length;
}

function variableOf(program: ParsedProgram, declaration: AnyNode): Variable | undefined {
  return program.scopes.getDeclaredVariables(declaration as never)[0];
}

function isWithin(node: unknown, outer: AnyNode): boolean {
  const { start } = node as AnyNode;
  return start >= outer.start && start < outer.end;
}

/** Whether the identifier is the index of `list[identifier]`, read and not written. */
function takesFrom(program: ParsedProgram, identifier: unknown, list: string): boolean {
  const member = parentOf(program, identifier);
  if (member?.type !== 'MemberExpression' || !member.computed) return false;
  if (member.property !== identifier || textOf(program, member.object) !== list) return false;
  const user = parentOf(program, member);
  const isWritten =
    (user?.type === 'AssignmentExpression' && user.left === member) ||
    user?.type === 'UpdateExpression';
  return !isWritten;
}
