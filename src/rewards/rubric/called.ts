// Which functions of a program its expressions may call. Values are not tracked, only the names of
// variables and properties that may stand for them.

import type { AnyNode, CallExpression } from 'acorn';
import type { ScopeManager, Variable } from 'eslint-scope';
import { type FunctionNode, isFunction } from '../programs/functions.ts';
import type { ParsedProgram } from '../programs/javascript.ts';

/** Calls of what a call returns that are followed. */
const mostCalls = 3;
/** Methods of functions that call them, or return what does. */
const ofFunctions = new Set(['apply', 'bind', 'call']);

/** A part of a program, and how often what it stands for is called first. */
type Part = [node: AnyNode, calls: number];

export class Called {
  /** The variable of each use of a name; the name itself if none is declared. */
  readonly #variables = new Map<unknown, Variable | string>();
  /** What a variable or a property may stand for. */
  readonly #bound = new Map<Variable | string, AnyNode[]>();
  readonly #members = new Map<string, AnyNode[]>();
  readonly #found = new Map<unknown, FunctionNode[]>();

  constructor({ scopes, nodes }: ParsedProgram) {
    for (const { variables, references } of scopes.scopes) {
      for (const variable of variables)
        for (const { type, node } of variable.defs)
          if (type === 'FunctionName' || type === 'ClassName') {
            add(this.#bound, variable, node as AnyNode);
            // A function in a block can be called outside of it.
            if (type === 'FunctionName') add(this.#bound, variable.name, node as AnyNode);
          }
      for (const { identifier, resolved, writeExpr } of references) {
        const variable = resolved ?? (identifier as { name: string }).name;
        this.#variables.set(identifier, variable);
        if (writeExpr) add(this.#bound, variable, writeExpr as AnyNode);
      }
    }
    for (const node of nodes) {
      const [key, value] = memberOf(node) ?? [];
      if (key !== undefined && value) add(this.#members, key, value);
      if (node.type === 'CallExpression') this.#pass(node, scopes);
    }
  }

  /** Note that parameters may stand for what a call by name passes. */
  #pass({ callee, arguments: given }: CallExpression, scopes: ScopeManager): void {
    for (const called of [callee, ...this.#boundTo(callee)].filter(isFunction)) {
      const { set } = scopes.acquire(called as never) ?? {};
      for (const [at, parameter] of called.params.entries()) {
        const variable = parameter.type === 'Identifier' && set?.get(parameter.name);
        if (variable && given[at]) add(this.#bound, variable, given[at]);
      }
    }
  }

  /** The functions that a call of an expression may run. */
  by(callee: AnyNode): readonly FunctionNode[] {
    const key = this.#variables.get(callee) ?? callee;
    const known = this.#found.get(key);
    if (known) return known;
    const found = this.#follow(callee);
    this.#found.set(key, found);
    return found;
  }

  #follow(callee: AnyNode): FunctionNode[] {
    const found = new Set<FunctionNode>();
    walk([[callee, 0]], (node, calls) => {
      if (calls > mostCalls) return [];
      if (!isFunction(node)) return this.#values(node, calls);
      if (calls > 0) return returnedBy(node).map((it): Part => [it, calls - 1]);
      found.add(node);
      return [];
    });
    return [...found];
  }

  /** What the value of a node may be, with the calls that are left. */
  #values(node: AnyNode, calls: number): Part[] {
    const all = (nodes: readonly (AnyNode | null | undefined)[]) =>
      nodes.flatMap((it): Part[] => (it ? [[it, calls]] : []));
    switch (node.type) {
      case 'Identifier':
        return all(this.#boundTo(node));
      case 'MemberExpression': {
        const name = nameOf(node.property, node.computed);
        if (name === null || ofFunctions.has(name)) return all([node.object]);
        return all(this.#members.get(name) ?? []);
      }
      case 'CallExpression': {
        // What a builtin is given, such as a callback, is not what it returns.
        return [[node.callee, calls + 1], ...all(this.#isOwn(node.callee) ? node.arguments : [])];
      }
      case 'ClassDeclaration':
      case 'ClassExpression':
        return calls > 0 ? [] : all(node.body.body.map(constructorOf));
      case 'ConditionalExpression':
        return all([node.consequent, node.alternate]);
      case 'LogicalExpression':
        return all([node.left, node.right]);
      case 'AssignmentExpression':
        return all([node.right]);
      case 'SequenceExpression':
        return all(node.expressions.slice(-1));
      case 'ArrayExpression':
        return all(node.elements);
      case 'ObjectExpression':
        return all(node.properties.map((it) => (it.type === 'Property' ? it.value : it)));
      case 'SpreadElement':
        return all([node.argument]);
      case 'ChainExpression':
        return all([node.expression]);
      default:
        return [];
    }
  }

  #isOwn(callee: AnyNode): boolean {
    if (callee.type === 'Identifier') return this.#boundTo(callee).length > 0;
    if (callee.type !== 'MemberExpression') return true;
    const name = nameOf(callee.property, callee.computed);
    return name === null || name === 'bind' || this.#members.has(name);
  }

  #boundTo(node: AnyNode): readonly AnyNode[] {
    const variable = this.#variables.get(node);
    return (variable !== undefined && this.#bound.get(variable)) || [];
  }

  /** The functions that running some nodes may run, in any way. */
  reachedFrom(nodes: readonly AnyNode[]): FunctionNode[] {
    const found: FunctionNode[] = [];
    const parts = (from: readonly AnyNode[]) => from.map((it): Part => [it, 0]);
    walk(parts(nodes), (node) => {
      if (isFunction(node)) found.push(node);
      const name = node.type === 'MemberExpression' ? nameOf(node.property, node.computed) : null;
      const members = (name !== null && this.#members.get(name)) || [];
      return parts([...this.#boundTo(node), ...members, ...childrenOf(node)]);
    });
    return found;
  }
}

/** Visit parts and what `next` gives for them, each once; the stack is a list. */
function walk(parts: readonly Part[], next: (node: AnyNode, calls: number) => readonly Part[]) {
  const seen = new Map<AnyNode, Set<number>>();
  const open = [...parts];
  for (let part = open.pop(); part; part = open.pop()) {
    const [node, calls] = part;
    const before = seen.get(node) ?? new Set();
    if (before.has(calls)) continue;
    seen.set(node, before.add(calls));
    for (const it of next(node, calls)) open.push(it);
  }
}

function add<K>(map: Map<K, AnyNode[]>, key: K, node: AnyNode): void {
  const list = map.get(key);
  if (list) list.push(node);
  else map.set(key, [node]);
}

/** The property that a node defines or assigns, and its value. */
function memberOf(node: AnyNode): [string, AnyNode] | null {
  if (node.type === 'AssignmentExpression') {
    if (node.left.type !== 'MemberExpression') return null;
    const name = nameOf(node.left.property, node.left.computed);
    return name === null ? null : [name, node.right];
  }
  if (
    node.type !== 'Property' &&
    node.type !== 'MethodDefinition' &&
    node.type !== 'PropertyDefinition'
  )
    return null;
  const name = nameOf(node.key, node.computed);
  return name === null || !node.value ? null : [name, node.value];
}

function nameOf(key: AnyNode, computed: boolean): string | null {
  if (key.type === 'Literal' && typeof key.value === 'string') return key.value;
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  return key.type === 'Identifier' && !computed ? key.name : null;
}

function constructorOf(member: AnyNode): AnyNode | null {
  return member.type === 'MethodDefinition' && member.kind === 'constructor' ? member.value : null;
}

function returnedBy({ body }: FunctionNode): AnyNode[] {
  if (body.type !== 'BlockStatement') return [body];
  const returned: AnyNode[] = [];
  const open: AnyNode[] = [body];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.type === 'ReturnStatement' && node.argument) returned.push(node.argument);
    if (!isFunction(node)) open.push(...childrenOf(node));
  }
  return returned;
}

/** The children of a node, in source order. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
