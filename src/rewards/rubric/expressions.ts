// Findings about expressions and single statements: redundant, loose, or without effect.

import type { AnyNode, CallExpression, NewExpression, Statement } from 'acorn';
import { nodesOf, type ParsedProgram, textOf } from '../programs/javascript.ts';

/** `var` declarations. */
export function varDeclarations(program: ParsedProgram): number {
  return nodesOf(program, 'VariableDeclaration').filter(({ kind }) => kind === 'var').length;
}

/** `==` and `!=`, except for the customary comparison with null. */
export function looseComparisons(program: ParsedProgram): number {
  return nodesOf(program, 'BinaryExpression').filter(
    ({ operator, left, right }) =>
      (operator === '==' || operator === '!=') && !isLiteral(right, null) && !isLiteral(left, null),
  ).length;
}

/** `? true : false`, `=== true`, and `if (…) return true; return false;`. */
export function redundantBooleans(program: ParsedProgram): number {
  const choices = nodesOf(program, 'ConditionalExpression').filter(
    ({ consequent, alternate }) => isBoolean(consequent) && isBoolean(alternate),
  );
  const comparisons = nodesOf(program, 'BinaryExpression').filter(
    ({ operator, left, right }) =>
      ['==', '!=', '===', '!=='].includes(operator) && (isBoolean(left) || isBoolean(right)),
  );
  const branches = nodesOf(program, 'IfStatement').filter((branch) => {
    if (!returnsBoolean(branch.consequent)) return false;
    return returnsBoolean(branch.alternate ?? statementAfter(program, branch));
  });
  return choices.length + comparisons.length + branches.length;
}

function statementAfter(program: ParsedProgram, statement: Statement): AnyNode | undefined {
  const around = program.parents.get(statement);
  if (around?.type !== 'BlockStatement') return undefined;
  return around.body[around.body.indexOf(statement) + 1];
}

function returnsBoolean(statement: AnyNode | undefined): boolean {
  const only =
    statement?.type === 'BlockStatement' && statement.body.length === 1
      ? statement.body[0]
      : statement;
  return only?.type === 'ReturnStatement' && !!only.argument && isBoolean(only.argument);
}

function isBoolean(node: AnyNode): boolean {
  return isLiteral(node, true) || isLiteral(node, false);
}

function isLiteral(node: AnyNode, value: unknown): boolean {
  return node.type === 'Literal' && node.value === value;
}

/** Operands or branches that are the same on both sides. */
export function sameOnBothSides(program: ParsedProgram): number {
  const isSame = (a: AnyNode, b: AnyNode | null | undefined) =>
    !!b && textOf(program, a) === textOf(program, b);
  const operations = [
    ...nodesOf(program, 'BinaryExpression').filter(({ operator }) => !'+*'.includes(operator)),
    ...nodesOf(program, 'LogicalExpression'),
    ...nodesOf(program, 'AssignmentExpression').filter(({ operator }) => operator === '='),
  ].filter(({ left, right }) => isSame(left, right));
  const branches = [
    ...nodesOf(program, 'ConditionalExpression'),
    ...nodesOf(program, 'IfStatement'),
  ].filter(({ consequent, alternate }) => isSame(consequent, alternate));
  return operations.length + branches.length;
}

const effects = new Set([
  'AssignmentExpression',
  'AwaitExpression',
  'CallExpression',
  'ImportExpression',
  'NewExpression',
  'TaggedTemplateExpression',
  'UpdateExpression',
  'YieldExpression',
]);

/** Statements whose value is dropped and that change nothing. */
export function withoutEffect(program: ParsedProgram): number {
  return nodesOf(program, 'ExpressionStatement').filter(({ expression, directive }) => {
    if (directive) return false;
    const inner = expression.type === 'ChainExpression' ? expression.expression : expression;
    const isDelete = inner.type === 'UnaryExpression' && inner.operator === 'delete';
    return !isDelete && !effects.has(inner.type);
  }).length;
}

/** Code from strings, `with`, and `arguments`: a reader cannot follow them. */
export function dynamicCode(program: ParsedProgram): number {
  const calls = [...nodesOf(program, 'CallExpression'), ...nodesOf(program, 'NewExpression')];
  const evaluations = calls.filter((call) => ['eval', 'Function'].includes(calleeName(call) ?? ''));
  const implicit = nodesOf(program, 'Identifier').filter(({ name }) => name === 'arguments');
  return evaluations.length + implicit.length + nodesOf(program, 'WithStatement').length;
}

function calleeName({ callee }: CallExpression | NewExpression): string | null {
  return callee.type === 'Identifier' ? callee.name : null;
}

/** Logging and `debugger` left behind; a whole program writes its output by logging. */
export function leftovers(program: ParsedProgram): number {
  const logs = nodesOf(program, 'MemberExpression').filter(
    ({ object }) => object.type === 'Identifier' && object.name === 'console',
  );
  return (program.asked ? logs.length : 0) + nodesOf(program, 'DebuggerStatement').length;
}
