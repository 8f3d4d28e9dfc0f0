// Approximates control flow: whether a statement lets the next one run. Values are not tracked: any
// condition may hold or not, except that a loop without one is endless.

import type { AnyNode, Statement } from 'acorn';

type MaybeStatement = Statement | { type: 'VariableDeclaration' } | null | undefined;

/** Whether control can reach what follows `statement`. */
export function canComplete(statement: MaybeStatement): boolean {
  if (!statement) return true;
  switch (statement.type) {
    case 'ReturnStatement':
    case 'ThrowStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return false;
    case 'BlockStatement':
      return (statement as Extract<Statement, { type: 'BlockStatement' }>).body.every(canComplete);
    default:
      return canCompleteCompound(statement as Statement);
  }
}

function canCompleteCompound(statement: Statement): boolean {
  switch (statement.type) {
    case 'IfStatement':
      return canComplete(statement.consequent) || canComplete(statement.alternate);
    case 'ForStatement':
      return statement.test != null || hasBreak(statement.body);
    case 'WhileStatement':
    case 'DoWhileStatement':
      return !isTrue(statement.test) || hasBreak(statement.body);
    case 'LabeledStatement':
      return canComplete(statement.body) || hasBreak(statement.body);
    case 'SwitchStatement':
      return canCompleteSwitch(statement);
    case 'TryStatement':
      if (statement.finalizer && !canComplete(statement.finalizer)) return false;
      return (
        canComplete(statement.block) || (!!statement.handler && canComplete(statement.handler.body))
      );
    default:
      return true;
  }
}

function canCompleteSwitch({ cases }: Extract<Statement, { type: 'SwitchStatement' }>): boolean {
  const last = cases.at(-1);
  const isExhaustive = cases.some(({ test }) => !test);
  if (!last || !isExhaustive || last.consequent.every(canComplete)) return true;
  return cases.some(({ consequent }) => consequent.some(hasBreak));
}

/** Whether a `break` inside ends the statement around it. A label counts as if it did. */
function hasBreak(node: Statement): boolean {
  switch (node.type) {
    case 'BreakStatement':
      return true;
    case 'BlockStatement':
      return node.body.some(hasBreak);
    case 'IfStatement':
      return hasBreak(node.consequent) || (!!node.alternate && hasBreak(node.alternate));
    case 'TryStatement':
      return hasBreak(node.block) || (!!node.handler && hasBreak(node.handler.body));
    case 'LabeledStatement':
      return hasBreak(node.body);
    default:
      return false;
  }
}

function isTrue(test: AnyNode): boolean {
  return test.type === 'Literal' && Boolean(test.value);
}
