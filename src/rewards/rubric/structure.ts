// Findings about statements: deep nesting, long functions, unreachable code, empty blocks.

import type { AnyNode, Statement } from 'acorn';
import { exportedBy } from '../programs/entry.ts';
import { type FunctionNode, isFunction } from '../programs/functions.ts';
import { isLoop, nodesOf, type ParsedProgram } from '../programs/javascript.ts';
import { canComplete } from './control-flow.ts';

/** Nesting that counts as comfortable. */
export const comfortableDepth = 3;
/** Lines of a function that count as comfortable. */
export const comfortableLines = 30;
/** Each started step of this many lines beyond is one finding. */
export const linesPerFinding = 10;

/** Levels of nesting beyond the comfortable, in the most deeply nested function. */
export function deepLevels(program: ParsedProgram): number {
  const depths = program.nodes.filter(isControl).map((node) => depthOf(program, node));
  const deepest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  return Math.max(0, deepest - comfortableDepth);
}

function isControl(node: AnyNode): boolean {
  const { type } = node;
  return (
    isLoop(node) || type === 'IfStatement' || type === 'SwitchStatement' || type === 'TryStatement'
  );
}

/** Control structures around a node within its function, itself included; `else if` adds none. */
function depthOf(program: ParsedProgram, node: AnyNode): number {
  let depth = 0;
  for (let at: AnyNode | undefined = node; at && !isFunction(at); at = program.parents.get(at)) {
    const parent = program.parents.get(at);
    const isElseIf = parent?.type === 'IfStatement' && parent.alternate === at;
    if (isControl(at) && !isElseIf) depth++;
  }
  return depth;
}

/** Started steps of lines beyond the comfortable length, over all functions. */
export function excessLines(program: ParsedProgram): number {
  return functionsOf(program)
    .map(({ loc }) => (loc ? loc.end.line - loc.start.line + 1 : 0))
    .map((lines) => Math.max(0, Math.ceil((lines - comfortableLines) / linesPerFinding)))
    .reduce((sum, findings) => sum + findings, 0);
}

function functionsOf(program: ParsedProgram): FunctionNode[] {
  return program.nodes.filter(isFunction);
}

/** `else` after a branch that always leaves. */
export function needlessElses(program: ParsedProgram): number {
  return nodesOf(program, 'IfStatement').filter(
    ({ consequent, alternate }) => alternate && !canComplete(consequent),
  ).length;
}

/** Statements that control cannot reach. */
export function unreachable(program: ParsedProgram): number {
  return program.nodes.reduce((count, node) => {
    const list = statementsOf(node);
    const end = list.findIndex((statement) => !canComplete(statement));
    if (end < 0) return count;
    return count + list.slice(end + 1).filter(canRun).length;
  }, 0);
}

const canRun = ({ type }: Statement) => type !== 'FunctionDeclaration' && type !== 'EmptyStatement';

function statementsOf(node: AnyNode): Statement[] {
  if (node.type === 'BlockStatement' || node.type === 'Program') return node.body as Statement[];
  return node.type === 'SwitchCase' ? node.consequent : [];
}

/** Functions that return a value on some paths only, and an entry that never returns one. */
export function missingReturns(program: ParsedProgram): number {
  const returnsOf = Map.groupBy(nodesOf(program, 'ReturnStatement'), (statement) =>
    functionAround(program, statement),
  );
  return functionsOf(program).filter((node) => {
    if (node.body.type !== 'BlockStatement') return false;
    const returns = returnsOf.get(node) ?? [];
    const valued = returns.filter(({ argument }) => argument);
    if (valued.length === 0) return node === program.asked?.entry;
    return valued.length < returns.length || canComplete(node.body);
  }).length;
}

function functionAround(program: ParsedProgram, node: AnyNode): AnyNode | undefined {
  let at = program.parents.get(node);
  while (at && !isFunction(at)) at = program.parents.get(at);
  return at;
}

/** Empty blocks and statements. */
export function emptyBlocks(program: ParsedProgram): number {
  const empty = nodesOf(program, 'BlockStatement').filter(({ body }) => body.length === 0);
  return empty.length + nodesOf(program, 'EmptyStatement').length;
}

/**
 * Top-level statements that are not definitions, such as calls that try the function, and no
 * exports; a whole program consists of them.
 */
export function strayStatements({ ast, asked }: ParsedProgram): number {
  if (!asked) return 0;
  return ast.body.filter(
    (statement) =>
      statement.type !== 'EmptyStatement' &&
      !statement.type.endsWith('Declaration') &&
      !exportedBy(statement) &&
      statement !== asked.definition &&
      !('directive' in statement && statement.directive),
  ).length;
}

/** 1 for an entry that only returns a constant or a parameter, and for an empty program. */
export function trivialEntry({ ast, asked }: ParsedProgram): number {
  if (!asked) return ast.body.length === 0 ? 1 : 0;
  const { body } = asked.entry;
  const only = body.type === 'BlockStatement' && body.body.length === 1 ? body.body[0] : null;
  const value = body.type === 'BlockStatement' ? returnedBy(only) : body;
  return value && ['Literal', 'Identifier'].includes(value.type) ? 1 : 0;
}

function returnedBy(statement: AnyNode | null | undefined): AnyNode | null {
  return statement?.type === 'ReturnStatement' ? (statement.argument ?? null) : null;
}
