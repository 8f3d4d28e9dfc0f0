// Reverse-mode automatic differentiation: appends to a graph the nodes that compute the gradient
// of a scalar. The rule of every operator is in rules.ts.

import type { Node, Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import { ruleFor } from './rules.ts';

/**
 * A run of nodes whose results are computed again for the backward pass instead of being kept
 * (arXiv 1604.06174): nodes `from` to `to` (excluded) of the graph, which turn `input` into `output`.
 * What else they depend on must not depend on a parameter that is no direct input of theirs.
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
 * @throws where an operator on the way has no rule, or a parameter does not reach the loss
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
  private readonly g: Builder;
  private readonly gradients: Map<Value, Value>;
  /** The values that some parameter flows into. */
  private readonly depends: Set<Value>;

  constructor(g: Builder, loss: Value, parameters: readonly Value[]) {
    this.g = g;
    this.gradients = new Map([[loss, g.scalar(1)]]);
    this.depends = new Set(parameters);
    for (const node of g.nodes) this.markDependent(node);
  }

  gradientOf(parameter: Value): Value {
    const gradient = this.gradients.get(parameter);
    if (!gradient) throw new Error(`${parameter.name} does not reach the loss`);
    return gradient;
  }

  /** Hand a node's gradient on to its inputs. */
  visit(node: Node): void {
    const output = node.outputs[0]!;
    const gradient = this.gradients.get(output);
    if (!gradient || !this.depends.has(output)) return;
    const rule = ruleFor(node);
    this.g.scope(`grad.${node.name}`, () => {
      node.inputs.forEach((input, i) => {
        if (!input || !this.depends.has(input)) return;
        const part = rule({ g: this.g, node, gradient, output }, i);
        if (part) this.add(input, part);
      });
    });
  }

  /**
   * Do a segment's nodes again and visit those in their place. They start from the input plus
   * zero times the output's gradient, so that they run when that is there and not before.
   */
  recompute({ input, output }: Segment, nodes: readonly Node[]): void {
    const gradient = this.gradients.get(output);
    if (!gradient) return;
    const again = this.g.scope('recompute', () => {
      const one = this.g.slice(this.g.slice(gradient, 0, 0, 1), 1, 0, 1);
      return this.g.add(input, this.g.mul(one, 0));
    });
    if (this.depends.has(input)) this.depends.add(again);
    const copies = new Map([[input, again]]);
    const repeated = nodes.map((node) => this.repeat(node, copies));
    this.gradients.set(copies.get(output)!, gradient);
    for (const node of repeated.toReversed()) this.visit(node);
    const atInput = this.gradients.get(again);
    if (atInput) this.add(input, atInput);
  }

  private repeat(node: Node, copies: Map<Value, Value>): Node {
    const inputs = node.inputs.map((v) => v && (copies.get(v) ?? v));
    const outputs = node.outputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const values = this.g.node(node.opType, inputs, outputs, node);
    node.outputs.forEach((value, i) => {
      copies.set(value, values[i]!);
    });
    const copy = values[0]!.producer!;
    this.markDependent(copy);
    return copy;
  }

  private markDependent(node: Node): void {
    if (node.inputs.some((v) => v && this.depends.has(v)))
      for (const output of node.outputs) this.depends.add(output);
  }

  private add(input: Value, part: Value): void {
    const sum = this.gradients.get(input);
    this.gradients.set(input, sum ? this.g.add(sum, part) : part);
  }
}
