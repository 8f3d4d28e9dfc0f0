// Reverse-mode automatic differentiation: appends to a graph the nodes that compute the gradient
// of a scalar. The rule of every operator is in rules.ts.

import type { Builder } from '../graph/operators.ts';
import type { Node, Value } from '../graph/value.ts';
import { rules } from './rules.ts';

/**
 * Gradients of `loss` (a float32 scalar) with respect to each of `parameters`, in their shapes.
 * All nodes between them must be in `g` itself; parameters may come from an outer graph.
 * @throws where an operator on the way has no rule, or a parameter does not reach the loss
 */
export function backward(g: Builder, loss: Value, parameters: readonly Value[]): Value[] {
  const depends = dependents(g.nodes, parameters);
  const gradients = new Map<Value, Value>([[loss, g.scalar(1)]]);
  for (const node of g.nodes.toReversed()) {
    const output = node.outputs[0]!;
    const gradient = gradients.get(output);
    if (!gradient || !depends.has(output)) continue;
    g.scope(`grad.${node.name}`, () => propagate(g, node, gradient, depends, gradients));
  }
  return parameters.map((parameter) => {
    const gradient = gradients.get(parameter);
    if (!gradient) throw new Error(`${parameter.name} does not reach the loss`);
    return gradient;
  });
}

/** The values that some parameter flows into. */
function dependents(nodes: readonly Node[], parameters: readonly Value[]): Set<Value> {
  const depends = new Set(parameters);
  for (const node of nodes)
    if (node.inputs.some((v) => v && depends.has(v)))
      for (const output of node.outputs) depends.add(output);
  return depends;
}

function propagate(
  g: Builder,
  node: Node,
  gradient: Value,
  depends: Set<Value>,
  gradients: Map<Value, Value>,
): void {
  const rule = rules[node.opType];
  if (!rule) throw new Error(`no gradient rule for operator ${node.opType} (${node.name})`);
  node.inputs.forEach((input, i) => {
    if (!input || !depends.has(input)) return;
    const part = rule({ g, node, gradient, output: node.outputs[0]! }, i);
    if (!part) return;
    const sum = gradients.get(input);
    gradients.set(input, sum ? g.add(sum, part) : part);
  });
}
