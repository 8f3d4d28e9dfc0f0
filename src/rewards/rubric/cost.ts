// The static cost of a function: operations counted over the tree, those inside loops multiplied by
// a nominal list length. It compares two programs for the same task; one program's cost by itself
// means nothing. Early exits are not credited, and correctness is not considered.

import type { AnyNode, CallExpression } from 'acorn';
import {
  type FunctionNode,
  isFunction,
  isLoop,
  nodesOf,
  type ParsedProgram,
} from '../programs/javascript.ts';

/** Elements of every list, iterations of every loop. */
export const nominalLength = 10;
const sortingFactor = nominalLength * Math.log2(nominalLength);

/** Methods that run their callback once per element. */
const perElement = new Set(
  'every filter find findIndex findLast findLastIndex flatMap forEach map reduce reduceRight replace replaceAll some sort toSorted'.split(
    ' ',
  ),
);
/** Methods and functions that traverse or copy a whole list or text. */
const linear = new Set(
  'assign concat entries fill flat from fromEntries includes indexOf join keys lastIndexOf match matchAll normalize padEnd padStart parse repeat replace replaceAll reverse search shift slice splice split stringify structuredClone substring toLowerCase toReversed toSpliced toUpperCase trim unshift values with'.split(
    ' ',
  ),
);
const sorting = new Set(['sort', 'toSorted']);
/** Nodes that count as an operation. */
const operations = new Set(
  'ArrayExpression AssignmentExpression BinaryExpression CallExpression ConditionalExpression LogicalExpression MemberExpression NewExpression ObjectExpression TemplateLiteral UnaryExpression UpdateExpression'.split(
    ' ',
  ),
);

/** The cost of one call of the entry, or of a run of a whole program, in operations. */
export function costOf(program: ParsedProgram): number {
  const costing = new Costing(program);
  return program.asked ? costing.ofFunction(program.asked.entry) : costing.of(program.ast);
}

class Costing {
  /** The program's own functions, by the names under which they are called. */
  readonly #functions = new Map<string, FunctionNode>();
  readonly #costs = new Map<FunctionNode, number>();
  /** Functions whose cost is being computed, with the number of calls to themselves. */
  readonly #open = new Map<FunctionNode, number>();

  constructor(program: ParsedProgram) {
    for (const node of nodesOf(program, 'FunctionDeclaration'))
      if (node.id) this.#functions.set(node.id.name, node);
    for (const { id, init } of nodesOf(program, 'VariableDeclarator'))
      if (id.type === 'Identifier' && init && isFunction(init)) this.#functions.set(id.name, init);
  }

  /** One recursive call counts as a loop, several as a nested loop. */
  ofFunction(node: FunctionNode): number {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    this.#open.set(node, 0);
    const once = this.#ofParts([...node.params, node.body]);
    const selfCalls = this.#open.get(node) ?? 0;
    this.#open.delete(node);
    const cost = once * nominalLength ** Math.min(2, selfCalls);
    this.#costs.set(node, cost);
    return cost;
  }

  of(node: AnyNode): number {
    if (isFunction(node)) return 0;
    if (isLoop(node)) return this.#ofLoop(node);
    if (node.type === 'SpreadElement') return nominalLength + this.of(node.argument);
    const own = operations.has(node.type) ? 1 : 0;
    if (node.type === 'CallExpression') return own + this.#ofCall(node);
    if (node.type === 'NewExpression')
      return own + this.#ofParts(childrenOf(node)) + (node.arguments.length ? nominalLength : 0);
    return own + this.#ofParts(childrenOf(node));
  }

  #ofParts(nodes: readonly AnyNode[]): number {
    return nodes.reduce((sum, node) => sum + this.of(node), 0);
  }

  #ofLoop(loop: AnyNode): number {
    const once =
      loop.type === 'ForStatement'
        ? loop.init
        : loop.type === 'ForOfStatement' || loop.type === 'ForInStatement'
          ? loop.right
          : null;
    const turn = childrenOf(loop).filter((part) => part !== once);
    return (once ? this.of(once) : 0) + nominalLength * this.#ofParts(turn);
  }

  #ofCall(call: CallExpression): number {
    const name = calledName(call);
    const own = this.#ofCalled(call, name);
    const turns = sorting.has(name) ? sortingFactor : perElement.has(name) ? nominalLength : 1;
    const callbacks = this.#ofCallbacks(call, name === 'from' ? nominalLength : turns);
    const walk = linear.has(name) ? nominalLength : turns > 1 ? turns : 0;
    return own + callbacks + walk + this.#ofReceiver(call) + this.#ofParts(call.arguments);
  }

  /** The callee of the call; a method's name costs nothing. */
  #ofReceiver({ callee }: CallExpression): number {
    if (callee.type === 'MemberExpression' && !callee.computed) return this.of(callee.object);
    return this.of(callee);
  }

  /** The cost of a call to one of the program's own functions, 0 for others. */
  #ofCalled({ callee }: CallExpression, name: string): number {
    if (isFunction(callee)) return this.ofFunction(callee);
    const target = callee.type === 'Identifier' ? this.#functions.get(name) : undefined;
    if (!target) return 0;
    const selfCalls = this.#open.get(target);
    if (selfCalls === undefined) return this.ofFunction(target);
    this.#open.set(target, selfCalls + 1);
    return 0;
  }

  #ofCallbacks(call: CallExpression, turns: number): number {
    return call.arguments.reduce((sum, argument) => {
      const named = argument.type === 'Identifier' ? this.#functions.get(argument.name) : undefined;
      const callback = isFunction(argument) ? argument : named;
      if (!callback || this.#open.has(callback)) return sum;
      return sum + turns * this.ofFunction(callback);
    }, 0);
  }
}

function calledName({ callee }: CallExpression): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type !== 'MemberExpression' || callee.computed) return '';
  return callee.property.type === 'Identifier' ? callee.property.name : '';
}

/** The children of a node, in source order. */
function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
