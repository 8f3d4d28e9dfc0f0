// Parses a JavaScript program and finds the function that its prompt asks for: the gate of the
// rubric, and the tree, scopes and comments that its criteria read.

import type { AnyNode, Comment, Program } from 'acorn';
import { fullAncestor } from 'acorn-walk';
import { analyze, type ScopeManager } from 'eslint-scope';
import type { Compiled } from '../sandbox/typescript/compiler.ts';
import { hiddenBinding } from './bindings.ts';
import { type Asked, findEntry } from './entry.ts';
import { fenceOutsideOfText } from './fences.ts';
import { ecmaVersion, parseWithin, UnreadableProgram, withinStack } from './parse.ts';

type NodeType = AnyNode['type'];
type NodeOf<T extends NodeType> = Extract<AnyNode, { type: T }>;

/** A program that passes the gate. */
export interface ParsedProgram {
  source: string;
  ast: Program;
  comments: Comment[];
  /** The function asked for; null for a whole program. */
  asked: Asked | null;
  /** Every node of the tree, and its parent. */
  nodes: readonly AnyNode[];
  parents: ReadonlyMap<AnyNode, AnyNode>;
  scopes: ScopeManager;
  /** Why the text does not tell what runs as the entry, if so. */
  hidden: string | null;
  /** For TypeScript: what the compiler found. */
  types?: Pick<Compiled, 'errors' | 'escapes'>;
}

/**
 * Parse `source`. If its top level does not plainly define or export `entry` (entry.ts), but names
 * it, only running it can tell. A whole program has an empty `entry`, and need not define any.
 * @returns the program, or why it fails.
 */
export function parseProgram(source: string, entry: string): ParsedProgram | { failed: string } {
  try {
    const comments: Comment[] = [];
    const ast = parseWithin(source, { onComment: comments, locations: true, ranges: true });
    const asked = findEntry(ast, entry);
    const missing =
      asked || entry === '' ? null : `no function '${entry}' is defined at the top level`;
    const note = missing && fenceNote(source);
    if (missing && (note || !isNamed(source, entry))) return { failed: missing + note };
    return withinStack(() => {
      const tree = { ast, ...treeOf(ast), scopes: scopesOf(ast) };
      const hidden = asked ? hiddenBinding(tree, asked.led) : missing;
      return { source, comments, asked, ...tree, hidden };
    });
  } catch (error) {
    if (error instanceof SyntaxError) return { failed: `does not parse: ${error.message}` };
    if (error instanceof UnreadableProgram) return { failed: `cannot be read: ${error.message}` };
    throw error;
  }
}

/** Whether an identifier occurs in a text as a whole word. */
function isNamed(source: string, identifier: string): boolean {
  return source.split(/[^\w$]+/).includes(identifier);
}

/** Three backticks are legal: an empty template literal, and the start of another. */
function fenceNote(source: string): string {
  const line = fenceOutsideOfText(source, 'javascript');
  return line === null ? '' : `; line ${line} is a Markdown fence, not a program`;
}

/** The scopes of a program whose tree has ranges; the top level is a scope of its own. */
export function scopesOf(ast: Program): ScopeManager {
  return analyze(ast as unknown as Parameters<typeof analyze>[0], {
    ecmaVersion,
    sourceType: 'commonjs',
    ignoreEval: true,
  });
}

/** All nodes of one type. */
export function nodesOf<T extends NodeType>(program: ParsedProgram, type: T): NodeOf<T>[] {
  return program.nodes.filter((node): node is NodeOf<T> => node.type === type);
}

export function isLoop(node: AnyNode): boolean {
  return (
    node.type === 'ForStatement' ||
    node.type === 'ForOfStatement' ||
    node.type === 'ForInStatement' ||
    node.type === 'WhileStatement' ||
    node.type === 'DoWhileStatement'
  );
}

/** The source text of a node. */
export function textOf(program: ParsedProgram, node: { start: number; end: number }): string {
  return program.source.slice(node.start, node.end);
}

function treeOf(ast: Program) {
  const nodes: AnyNode[] = [];
  const parents = new Map<AnyNode, AnyNode>();
  fullAncestor(ast, (found, _state, ancestors) => {
    const node = found as AnyNode;
    const parent = ancestors.at(-2) as AnyNode | undefined;
    nodes.push(node);
    if (parent) parents.set(node, parent);
  });
  return { nodes, parents };
}
