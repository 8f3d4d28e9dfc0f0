// Finds the function that a prompt asks for: what its name is bound to when the program has run.

import type { AnyNode, Expression, Program, Statement, VariableDeclaration } from 'acorn';
import { type FunctionNode, isFunction } from './functions.ts';

/** The function asked for. */
export interface Asked {
  entry: FunctionNode;
  /** The top-level statement that defines it. */
  definition: Statement;
  /** The functions whose work a call of it may do: itself, what made it, and what that was given. */
  runs: readonly FunctionNode[];
  led: Led;
}

/** What leads to the entry. */
export interface Led {
  /** The entry's name, and the names of the top level that were followed from it. */
  names: readonly [string, ...string[]];
  isExported: boolean;
}

/**
 * The function that `name` is bound to, or that is exported under that name or as the only export.
 * Names are looked up at the top level: function declarations, variables that hold a function or
 * the result of a call that returns one (`const double = times(2)`), and assignments.
 */
export function findEntry(ast: Program, name: string): Asked | null {
  const own = bindingOf(ast, name);
  const bound = own ?? exportOf(ast, name);
  if (!bound) return null;
  const tracing = new Tracing(ast);
  const entry = tracing.functionOf(bound.value);
  const { definition } = bound;
  const names = [name, ...tracing.names] as const;
  return entry && { entry, definition, runs: [...tracing.runs], led: { names, isExported: !own } };
}

interface Binding {
  value: AnyNode;
  definition: Statement;
}

/** The last value that the top level gives a variable. Functions are declared before all else runs. */
function bindingOf(ast: Program, name: string): Binding | null {
  const statements = ast.body.toReversed() as Statement[];
  for (const definition of statements) {
    const value = valueGiven(definition, name);
    if (value) return { value, definition };
  }
  const declared = statements.find(
    (it) => it.type === 'FunctionDeclaration' && it.id?.name === name,
  );
  return declared ? { value: declared, definition: declared } : null;
}

function valueGiven(statement: Statement, name: string): AnyNode | null {
  if (statement.type === 'VariableDeclaration') return initOf(statement, name);
  if (statement.type !== 'ExpressionStatement') return null;
  const { expression } = statement;
  const isGiven =
    expression.type === 'AssignmentExpression' &&
    expression.operator === '=' &&
    expression.left.type === 'Identifier' &&
    expression.left.name === name;
  return isGiven ? expression.right : null;
}

function initOf({ declarations }: VariableDeclaration, name: string): AnyNode | null {
  const found = declarations.findLast(
    ({ id, init }) => id.type === 'Identifier' && id.name === name && init,
  );
  return found?.init ?? null;
}

/** `exports.f = …`, `module.exports.f = …`, `module.exports = { f: … }`, `module.exports = …`. */
function exportOf(ast: Program, name: string): Binding | null {
  for (const definition of ast.body.toReversed() as Statement[]) {
    const given = exportedBy(definition);
    if (!given) continue;
    const { key, value } = given;
    if (key === name) return { value, definition };
    if (key !== null) continue;
    if (value.type !== 'ObjectExpression') return { value, definition };
    const property = value.properties.find(
      (it) => it.type === 'Property' && it.key.type === 'Identifier' && it.key.name === name,
    );
    if (property?.type === 'Property') return { value: property.value, definition };
  }
  return null;
}

interface Export {
  /** The name, or null for all exports. */
  key: string | null;
  /** What is assigned to. */
  target: AnyNode;
  value: Expression;
}

/** What a statement exports; null if it exports nothing. */
export function exportedBy(statement: AnyNode): Export | null {
  if (statement.type !== 'ExpressionStatement') return null;
  const { expression } = statement;
  if (expression.type !== 'AssignmentExpression' || expression.operator !== '=') return null;
  const { left: target, right: value } = expression;
  if (target.type !== 'MemberExpression') return null;
  if (isMember(target, 'module', 'exports')) return { key: null, target, value };
  const isExports =
    (target.object.type === 'Identifier' && target.object.name === 'exports') ||
    isMember(target.object, 'module', 'exports');
  if (!isExports || target.computed || target.property.type !== 'Identifier') return null;
  return { key: target.property.name, target, value };
}

function isMember(node: AnyNode, object: string, property: string): boolean {
  return (
    node.type === 'MemberExpression' &&
    !node.computed &&
    node.object.type === 'Identifier' &&
    node.object.name === object &&
    node.property.type === 'Identifier' &&
    node.property.name === property
  );
}

/** Names and calls followed from one to the next. */
const mostFollowed = 20;

/** Traces an expression to the function that it gives. */
class Tracing {
  readonly #ast: Program;
  readonly runs = new Set<FunctionNode>();
  /** Names of the top level that were followed. */
  readonly names = new Set<string>();
  #left = mostFollowed;

  constructor(ast: Program) {
    this.#ast = ast;
  }

  functionOf(value: AnyNode, within: readonly AnyNode[] = []): FunctionNode | null {
    if (isFunction(value)) {
      this.runs.add(value);
      return value;
    }
    if (--this.#left < 0) return null;
    if (value.type === 'Identifier') return this.#named(value.name, within);
    if (value.type === 'AssignmentExpression') return this.functionOf(value.right, within);
    if (value.type !== 'CallExpression') return null;
    const { callee } = value;
    const isBound =
      callee.type === 'MemberExpression' &&
      callee.property.type === 'Identifier' &&
      callee.property.name === 'bind';
    const called = this.functionOf(isBound ? callee.object : callee, within);
    const given = value.arguments.map((argument) => this.functionOf(argument, within));
    if (isBound) return called;
    const made = called && this.#returnedBy(called, within);
    return made ?? given.find((it) => it !== null) ?? null;
  }

  #named(name: string, within: readonly AnyNode[]): FunctionNode | null {
    for (const body of [...within, this.#ast] as Program[]) {
      const bound = bindingOf(body, name);
      if (bound && body === this.#ast) this.names.add(name);
      if (bound) return this.functionOf(bound.value, within);
    }
    return null;
  }

  #returnedBy({ body }: FunctionNode, within: readonly AnyNode[]): FunctionNode | null {
    if (body.type !== 'BlockStatement') return this.functionOf(body, within);
    const last = body.body.findLast((statement) => statement.type === 'ReturnStatement');
    return last?.argument ? this.functionOf(last.argument, [body, ...within]) : null;
  }
}
