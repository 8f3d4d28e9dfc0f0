// Reverse-mode automatic differentiation: appends the nodes that compute a scalar's gradients. The
// rule of each operator is in rules.ts.

import type { Node, Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import { ruleFor } from './rules.ts';

/**
 * Consecutive nodes whose results the backward pass recomputes instead of keeping them (arXiv
 * 1604.06174): nodes `from` to `to` (excluded) of the graph, which turn `input` into `output`.
 * Apart from `input`, they may depend on parameters only through their own direct inputs.
 */
export interface Segment {
  from: number;
  to: number;
  input: Value;
  output: Value;
}

/**
 * Gradients of `loss` (a float32 scalar) with respect to each of `parameters`, in their shapes.
 * All nodes between them must be in `g` itself; parameters may come from an outer graph.
 * @throws if an operator between them has no rule, or the loss does not depend on a parameter
 */
export function backward(
  g: Builder,
  loss: Value,
  parameters: readonly Value[],
  segments: readonly Segment[] = [],
): Value[] {
  const pass = new BackwardPass(g, loss, parameters);
  const nodes = [...g.nodes];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const segment = segments.find(({ to }) => to === i + 1);
    if (segment) {
      pass.recompute(segment, nodes.slice(segment.from, segment.to));
      i = segment.from;
    } else pass.visit(nodes[i]!);
  }
  return parameters.map((parameter) => pass.gradientOf(parameter));
}

class BackwardPass {
  readonly #g: Builder;
  readonly #gradients: Map<Value, Value>;
  /** The values that depend on a parameter. */
  readonly #depends: Set<Value>;

  constructor(g: Builder, loss: Value, parameters: readonly Value[]) {
    this.#g = g;
    this.#gradients = new Map([[loss, g.scalar(1)]]);
    this.#depends = new Set(parameters);
    for (const node of g.nodes) this.#markDependent(node);
  }

  gradientOf(parameter: Value): Value {
    const gradient = this.#gradients.get(parameter);
    if (!gradient) throw new Error(`the loss does not depend on ${parameter.name}`);
    return gradient;
  }

  /** Propagate a node's gradient to its inputs. */
  visit(node: Node): void {
    const output = node.outputs[0]!;
    const gradient = this.#gradients.get(output);
    if (!gradient || !this.#depends.has(output)) return;
    const rule = ruleFor(node);
    this.#g.scope(`grad.${node.name}`, () => {
      node.inputs.forEach((input, i) => {
        if (!input || !this.#depends.has(input)) return;
        const part = rule({ g: this.#g, node, gradient, output }, i);
        if (part) this.#add(input, part);
      });
    });
  }

  /**
   * Repeat a segment's nodes and visit the copies instead. The copies start from the input plus
   * zero times the output's gradient, so that they cannot run before the backward pass needs them.
   */
  recompute({ input, output }: Segment, nodes: readonly Node[]): void {
    const gradient = this.#gradients.get(output);
    if (!gradient) return;
    const restart = this.#g.scope('recompute', () => {
      const one = this.#g.slice(this.#g.slice(gradient, 0, 0, 1), 1, 0, 1);
      return this.#g.add(input, this.#g.mul(one, 0));
    });
    if (this.#depends.has(input)) this.#depends.add(restart);
    const copies = new Map([[input, restart]]);
    const repeated = nodes.map((node) => this.#repeat(node, copies));
    this.#gradients.set(copies.get(output)!, gradient);
    for (const node of repeated.toReversed()) this.visit(node);
    const atInput = this.#gradients.get(restart);
    if (atInput) this.#add(input, atInput);
  }

  #repeat(node: Node, copies: Map<Value, Value>): Node {
    const inputs = node.inputs.map((v) => v && (copies.get(v) ?? v));
    const outputs = node.outputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const values = this.#g.node(node.opType, inputs, outputs, node);
    node.outputs.forEach((value, i) => {
      copies.set(value, values[i]!);
    });
    const copy = values[0]!.producer!;
    this.#markDependent(copy);
    return copy;
  }

  #markDependent(node: Node): void {
    if (node.inputs.some((v) => v && this.#depends.has(v)))
      for (const output of node.outputs) this.#depends.add(output);
  }

  #add(input: Value, part: Value): void {
    const sum = this.#gradients.get(input);
    this.#gradients.set(input, sum ? this.#g.add(sum, part) : part);
  }
}
