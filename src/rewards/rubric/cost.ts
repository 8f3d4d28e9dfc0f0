// The static cost of a function: operations counted over the tree, those inside loops multiplied by
// a nominal list length. It compares two programs for the same task; one program's cost by itself
// means nothing. Early exits are not credited, and correctness is not considered.

import type { AnyNode, CallExpression } from 'acorn';
import { type FunctionNode, isFunction } from '../programs/functions.ts';
import { isLoop, type ParsedProgram } from '../programs/javascript.ts';
import { Called, childrenOf } from './called.ts';

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

/** Statements that only define. */
const isDefinition = new Set<string>(['ClassDeclaration', 'FunctionDeclaration']);

/** Deep nests of loops would cost more than a number can hold. */
const largestCost = 1e100;

export const boundedCost = (cost: number) => Math.min(cost, largestCost);

/** The cost of one call of the entry, or of a run of a whole program, in operations. */
export function costOf(program: ParsedProgram): number {
  const costing = new Costing(program);
  const { asked, ast } = program;
  const statements = ast.body.filter(({ type }) => !isDefinition.has(type));
  const costs = asked ? asked.runs.map((node) => costing.ofFunction(node)) : [costing.of(ast)];
  costs.push(costing.ofUncounted(asked?.runs ?? statements));
  return boundedCost(costs.reduce((sum, cost) => sum + total(cost), 0));
}

/** A cost in the making: it yields the parts that it needs and is given their costs. */
interface Cost extends Generator<Cost, number, number> {}

/** The stack is a list here, because functions may call each other in chains of any length. */
function total(cost: Cost): number {
  const open = [cost];
  let found = 0;
  for (let last = open.at(-1); last; last = open.at(-1)) {
    const { done, value } = last.next(found);
    if (done) {
      open.pop();
      found = value;
    } else open.push(value);
  }
  return found;
}

class Costing {
  readonly #called: Called;
  readonly #costs = new Map<FunctionNode, number>();
  /** Functions whose cost is being computed, with the number of calls to themselves. */
  readonly #open = new Map<FunctionNode, number>();

  constructor(program: ParsedProgram) {
    this.#called = new Called(program);
  }

  /** Functions that the nodes may call in ways that nothing has counted are called once. */
  *ofUncounted(nodes: readonly AnyNode[]): Cost {
    let sum = 0;
    for (const it of this.#called.reachedFrom(nodes))
      if (!this.#costs.has(it)) sum += yield this.ofFunction(it);
    return sum;
  }

  /** One recursive call counts as a loop, several as a nested loop. */
  *ofFunction(node: FunctionNode): Cost {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    this.#open.set(node, 0);
    const once = yield this.#ofParts([...node.params, node.body]);
    const selfCalls = this.#open.get(node) ?? 0;
    this.#open.delete(node);
    const cost = once * nominalLength ** Math.min(2, selfCalls);
    this.#costs.set(node, cost);
    return cost;
  }

  *of(node: AnyNode): Cost {
    if (isFunction(node)) return 0;
    if (isLoop(node)) return yield this.#ofLoop(node);
    if (node.type === 'SpreadElement') return nominalLength + (yield this.of(node.argument));
    const own = operations.has(node.type) ? 1 : 0;
    if (node.type === 'CallExpression') return own + (yield this.#ofCall(node));
    const parts = yield this.#ofParts(childrenOf(node));
    if (node.type !== 'NewExpression') return own + parts;
    const making = yield this.#ofCostliest(this.#called.by(node.callee));
    return own + parts + making + (node.arguments.length > 0 ? nominalLength : 0);
  }

  *#ofParts(nodes: readonly AnyNode[]): Cost {
    let sum = 0;
    for (const node of nodes) sum += yield this.of(node);
    return sum;
  }

  *#ofLoop(loop: AnyNode): Cost {
    const once =
      loop.type === 'ForStatement'
        ? loop.init
        : loop.type === 'ForOfStatement' || loop.type === 'ForInStatement'
          ? loop.right
          : null;
    const turn = childrenOf(loop).filter((part) => part !== once);
    return (once ? yield this.of(once) : 0) + nominalLength * (yield this.#ofParts(turn));
  }

  *#ofCall(call: CallExpression): Cost {
    const name = calledName(call);
    const own = yield this.#ofCostliest(this.#called.by(call.callee));
    const turns = sorting.has(name) ? sortingFactor : perElement.has(name) ? nominalLength : 1;
    const callbacks = yield this.#ofCallbacks(call, name === 'from' ? nominalLength : turns);
    const walk = linear.has(name) ? nominalLength : turns > 1 ? turns : 0;
    const receiver = yield this.of(receiverOf(call));
    return own + callbacks + walk + receiver + (yield this.#ofParts(call.arguments));
  }

  /** The cost of a call of any of these functions. */
  *#ofCostliest(functions: readonly FunctionNode[]): Cost {
    let most = 0;
    for (const it of functions) {
      const selfCalls = this.#open.get(it);
      if (selfCalls === undefined) most = Math.max(most, yield this.ofFunction(it));
      else this.#open.set(it, selfCalls + 1);
    }
    return most;
  }

  *#ofCallbacks(call: CallExpression, turns: number): Cost {
    let sum = 0;
    for (const argument of call.arguments) {
      const callbacks = isFunction(argument) ? [argument] : this.#named(argument);
      const closed = callbacks.filter((it) => !this.#open.has(it));
      sum += turns * (yield this.#ofCostliest(closed));
    }
    return sum;
  }

  #named(argument: AnyNode): readonly FunctionNode[] {
    const isName = argument.type === 'Identifier' || argument.type === 'MemberExpression';
    return isName ? this.#called.by(argument) : [];
  }
}

/** What the callee of a call costs is in here; a method's name costs nothing. */
function receiverOf({ callee }: CallExpression): AnyNode {
  return callee.type === 'MemberExpression' && !callee.computed ? callee.object : callee;
}

function calledName({ callee }: CallExpression): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type !== 'MemberExpression' || callee.computed) return '';
  return callee.property.type === 'Identifier' ? callee.property.name : '';
}
