// Shortens and spells uniformly the literals of a JavaScript program, in which its author can write
// anything: strings, templates, regular expressions, numbers, and statements that are only a string.

import type { AnyNode, Literal, Program, TemplateElement } from 'acorn';
import { type Edit, visit, wordsOf } from './rename.ts';

/** Numbers of more characters are written as the double that they are. */
const longNumber = 24;

/** Edits of literals, and the words of those that are shown whole. */
export function editLiterals(
  ast: Program,
  { limit, dropStatements }: { limit: number; dropStatements: boolean },
): { edits: Edit[]; words: Set<string> } {
  const edits: Edit[] = [];
  const texts: string[] = [];
  const dropped = new Set<AnyNode>();
  visit(ast, (node, parent) => {
    if (dropStatements && isText(node)) {
      dropped.add(node.expression);
      edits.push({ start: node.start, end: node.end, text: keptStatement(node) });
    } else if (node.type === 'TemplateElement' && !dropped.has(parent)) {
      const text = templateText(node, limit);
      if (text === null) texts.push(node.value.raw);
      else edits.push({ start: node.start, end: node.end, text });
    } else if (node.type === 'Literal' && !dropped.has(node)) {
      const text = literalText(node, isKey(node, parent), limit);
      if (text !== null) edits.push({ start: node.start, end: node.end, text });
      else if (typeof node.value === 'string') texts.push(node.value);
      else if (node.regex) texts.push(node.regex.pattern);
    }
  });
  return { edits, words: wordsOf(texts) };
}

type TextStatement = Extract<AnyNode, { type: 'ExpressionStatement' }>;

/** A statement that is only a string does nothing, except for a directive. */
function isText(node: AnyNode): node is TextStatement {
  if (node.type !== 'ExpressionStatement') return false;
  const { expression } = node;
  if (expression.type === 'TemplateLiteral') return expression.expressions.length === 0;
  return expression.type === 'Literal' && typeof expression.value === 'string';
}

/** Other directives go without a trace, since nothing may come before this one. */
function keptStatement(node: TextStatement): string {
  if (!('directive' in node)) return ';';
  return node.directive === 'use strict' ? "'use strict';" : '';
}

function isKey(node: AnyNode, parent: AnyNode): boolean {
  return 'key' in parent && parent.key === node && !('computed' in parent && parent.computed);
}

/** Null if the literal stays as it is. */
function literalText(literal: Literal, isKey: boolean, limit: number): string | null {
  const { value, raw = '', regex, bigint } = literal;
  if (typeof value === 'string')
    return value.length > limit ? JSON.stringify(cut(value, limit, 'characters')) : null;
  if (regex) {
    const { length } = regex.pattern;
    return length > limit
      ? `RegExp(${JSON.stringify(cut(regex.pattern, limit, 'characters'))})`
      : null;
  }
  if (bigint != null) return bigintText(String(BigInt(bigint)), isKey, limit);
  if (typeof value !== 'number') return null;
  if (value === Number.POSITIVE_INFINITY) return '1e999';
  if (raw.length <= longNumber && !/^0[\w]|_/.test(raw)) return null;
  return isKey ? String(value) : `(${value})`;
}

function bigintText(digits: string, isKey: boolean, limit: number): string {
  if (digits.length <= Math.max(limit, longNumber)) return `${digits}n`;
  const text = JSON.stringify(cut(digits, limit, 'digits'));
  return isKey ? text : `BigInt(${text})`;
}

function templateText({ value: { raw } }: TemplateElement, limit: number): string | null {
  if (raw.length <= limit) return null;
  return cut(raw, limit, 'characters').replace(/\\|`|\$/g, (found) => `\\${found}`);
}

const cut = (text: string, limit: number, unit: string) =>
  `${text.slice(0, limit)}… (${text.length} ${unit})`;
