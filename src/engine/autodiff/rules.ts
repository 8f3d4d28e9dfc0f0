// Gradients of operators with respect to their inputs (vector-Jacobian products). A rule is called
// for one input at a time, and only for inputs that depend on a parameter.

import type { Node, Shape, Value } from '../graph/graph.ts';
import type { Operator } from '../graph/operator-set.ts';
import type { Builder } from '../graph/operators.ts';

interface Context<O extends Operator = Operator> {
  g: Builder;
  node: Node<O>;
  /** dL/d(first output). */
  gradient: Value;
  /** The first output. */
  output: Value;
}
/** dL/d(inputs[i]), or undefined if none flows (an index, a condition). */
type Rule<O extends Operator = Operator> = (context: Context<O>, i: number) => Value | undefined;

/** Sum over the axes that broadcasting repeated, back to `shape`. */
function unbroadcast(g: Builder, gradient: Value, shape: Shape): Value {
  const extra = gradient.rank - shape.length;
  const repeated = gradient.shape.flatMap((d, axis) =>
    axis < extra || (shape[axis - extra] === 1 && d !== 1) ? [axis] : [],
  );
  const summed = repeated.length > 0 ? g.sum(gradient, repeated) : gradient;
  return summed.rank === shape.length ? summed : g.reshape(summed, shape);
}

/** The integers of an input that must be a constant. @throws if it is computed */
function constantInput(node: Node, i: number): number[] {
  const found = node.inputs[i]?.integers;
  if (found) return found;
  throw new Error(`no gradient rule for ${node.opType} with a computed input ${i} (${node.name})`);
}

/** An element-wise operator, from the partial derivative of each input. */
function elementwise(...partials: ((context: Context, a: Value, b: Value) => Value)[]): Rule {
  return (context, i) => {
    const [a, b] = context.node.inputs as [Value, Value];
    return unbroadcast(context.g, partials[i]!(context, a, b), context.node.inputs[i]!.shape);
  };
}

/** The gradient goes to the selected input; of equal ones, to the first. */
function selected(firstWins: (g: Builder, a: Value, b: Value) => Value): Rule {
  return elementwise(
    ({ g, gradient }, a, b) => g.where(firstWins(g, a, b), gradient, 0),
    ({ g, gradient }, a, b) => g.where(firstWins(g, a, b), 0, gradient),
  );
}

/** alpha · a' · b', where ' transposes if the node's attributes say so. */
function productGradient({ g, node, gradient }: Context, i: number): Value {
  const [a, b] = node.inputs as [Value, Value];
  const { transA, transB, alpha } = node.attributes;
  const options = { alpha: alpha ? (alpha as { float: number }).float : 1 };
  if (i === 0)
    return unbroadcast(
      g,
      transA
        ? g.product(b, gradient, { ...options, transA: !!transB, transB: true })
        : g.product(gradient, b, { ...options, transB: !transB }),
      a.shape,
    );
  return unbroadcast(
    g,
    transB
      ? g.product(gradient, a, { ...options, transA: true, transB: !!transA })
      : g.product(a, gradient, { ...options, transA: !transA }),
    b.shape,
  );
}

/** a · b' + c of matrices, where b' is b or its transpose. */
function gemmGradient({ g, node, gradient }: Context, i: number): Value {
  const [a, b, c] = node.inputs as [Value, Value, Value | undefined];
  const { transA, transB } = node.attributes;
  if (transA) throw new Error(`no gradient rule for a Gemm with transA (${node.name})`);
  if (i === 2) return unbroadcast(g, gradient, c!.shape);
  if (i === 0) return g.gemm(gradient, b, undefined, { transB: !transB });
  return transB
    ? g.gemm(gradient, a, undefined, { transA: true })
    : g.gemm(a, gradient, undefined, { transA: true });
}

/** The gradient times `scale(count)` of `count` reduced elements, repeated over the reduced axes. */
function reductionGradient({ g, node, gradient }: Context, scale: (count: () => number) => number) {
  const input = node.inputs[0]!;
  const axes = constantInput(node, 1);
  const kept = input.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const factor = scale(() => axes.reduce((product, axis) => product * input.dim(axis), 1));
  const scaled = factor === 1 ? gradient : g.mul(gradient, factor);
  return g.expand(g.reshape(scaled, kept), input.shape);
}

/**
 * With r = 1 / rms(x): dw = Σ g·x·r over the rows, dx = r·g·w − x · (r³ · mean(g·x·w)).
 * Both sums are products of g·x with a vector, so that it is read once.
 */
function rmsNormGradient({ g, node, gradient }: Context, i: number): Value {
  const [x, weight] = node.inputs as [Value, Value];
  const inverse = node.outputs[1]!;
  const D = weight.dim(0);
  const weighted = g.mul(gradient, x);
  if (i === 1) {
    const rows = g.mul(weighted, inverse);
    return unbroadcast(g, rows, weight.shape);
  }
  const mean = g.mul(g.matmul(weighted, g.reshape(weight, [D, 1])), 1 / D);
  const cube = g.mul(g.mul(inverse, inverse), inverse);
  const along = g.mul(x, g.mul(mean, cube));
  return g.sub(g.mul(g.mul(gradient, weight), inverse), along);
}

/** The gradient of the sliced elements, padded with zeros. */
function sliceGradient({ g, node, gradient }: Context): Value {
  const input = node.inputs[0]!;
  const [start, end, axis] = [1, 2, 3].map((i) => constantInput(node, i)[0]!) as [
    number,
    number,
    number,
  ];
  const zeros = (length: number) => g.zeros(input.shape.with(axis, length));
  const parts = [gradient];
  if (start > 0) parts.unshift(zeros(start));
  if (end < input.dim(axis)) parts.push(zeros(input.dim(axis) - end));
  return parts.length > 1 ? g.concat(parts, axis) : gradient;
}

function concatGradient({ g, node, gradient }: Context, i: number): Value {
  const axis = node.attributes.axis as number;
  const start = node.inputs.slice(0, i).reduce((sum, v) => sum + v!.dim(axis), 0);
  return g.slice(gradient, axis, start, start + node.inputs[i]!.dim(axis));
}

function gatherGradient({ g, node, gradient }: Context<'Gather'>): Value {
  const [table, index] = node.inputs as [Value, Value];
  if (table.rank !== 2 || index.rank !== 1)
    throw new Error(`no gradient rule for Gather of [${table.shape}] by [${index.shape}]`);
  if (node.metadata?.distinct) return g.scatterRows(table.shape, index, gradient);
  return g.scatterAddRows(table.shape, index, gradient);
}

/** With a = x · σ(x): d/dx = σ + a − a·σ. */
function siluGradient({ g, node, gradient, output }: Context): Value {
  const sigmoid = g.sigmoid(node.inputs[0]!);
  return g.mul(gradient, g.add(sigmoid, g.sub(output, g.mul(output, sigmoid))));
}

/** Every operator has either a rule here or a reason in `withoutGradient`. */
export const rules = {
  Add: elementwise(
    ({ gradient }) => gradient,
    ({ gradient }) => gradient,
  ),
  Sub: elementwise(
    ({ gradient }) => gradient,
    ({ g, gradient }) => g.neg(gradient),
  ),
  Mul: elementwise(
    ({ g, gradient }, _, b) => g.mul(gradient, b),
    ({ g, gradient }, a) => g.mul(gradient, a),
  ),
  Div: elementwise(
    ({ g, gradient }, _, b) => g.div(gradient, b),
    ({ g, gradient, output }, _, b) => g.neg(g.div(g.mul(gradient, output), b)),
  ),
  Min: selected((g, a, b) => g.lessOrEqual(a, b)),
  Max: selected((g, a, b) => g.lessOrEqual(b, a)),
  Neg: ({ g, gradient }) => g.neg(gradient),
  Exp: ({ g, gradient, output }) => g.mul(gradient, output),
  Log: ({ g, node, gradient }) => g.div(gradient, node.inputs[0]!),
  Sqrt: ({ g, gradient, output }) => g.div(g.mul(gradient, 0.5), output),
  Sigmoid: ({ g, gradient, output }) => g.mul(gradient, g.mul(output, g.sub(1, output))),
  Identity: ({ gradient }) => gradient,
  Softmax: ({ g, gradient, output }) => {
    const weighted = g.mul(gradient, output);
    return g.sub(weighted, g.mul(output, g.sum(weighted, [-1])));
  },
  LogSoftmax: ({ g, gradient, output }) =>
    g.sub(gradient, g.mul(g.exp(output), g.sum(gradient, [-1]))),
  Where: ({ g, node, gradient }, i) => {
    const [condition, a, b] = node.inputs as [Value, Value, Value];
    if (i === 0) return undefined;
    const part = i === 1 ? g.where(condition, gradient, 0) : g.where(condition, 0, gradient);
    return unbroadcast(g, part, (i === 1 ? a : b).shape);
  },
  MatMul: productGradient,
  FusedMatMul: productGradient,
  Gemm: gemmGradient,
  Reshape: ({ g, node, gradient }, i) =>
    i === 0 ? g.reshape(gradient, node.inputs[0]!.shape) : undefined,
  Transpose: ({ g, node, gradient }) => {
    const perm = node.attributes.perm as number[];
    return g.transpose(
      gradient,
      perm.map((_, axis) => perm.indexOf(axis)),
    );
  },
  ReduceSum: (context, i) => (i === 0 ? reductionGradient(context, () => 1) : undefined),
  ReduceMean: (context, i) =>
    i === 0 ? reductionGradient(context, (count) => 1 / count()) : undefined,
  Expand: ({ g, node, gradient }, i) =>
    i === 0 ? unbroadcast(g, gradient, node.inputs[0]!.shape) : undefined,
  Gather: (context, i) => (i === 0 ? gatherGradient(context) : undefined),
  GatherElements: ({ g, node, gradient }, i) =>
    i === 0 ? g.scatterElements(node.inputs[0]!.shape, node.inputs[1]!, gradient) : undefined,
  Concat: concatGradient,
  Slice: (context, i) => (i === 0 ? sliceGradient(context) : undefined),
  SimplifiedLayerNormalization: rmsNormGradient,
  QuickGelu: siluGradient,
  /** A rotation's transpose is the rotation back. */
  RotaryEmbedding: ({ g, node, gradient }, i) => {
    const [, positions, cos, sin] = node.inputs as [Value, Value, Value, Value];
    if (i !== 0) return undefined;
    return g.rotary(gradient, positions, cos, g.neg(sin), node.attributes.num_heads as number);
  },
} satisfies { [O in Operator]?: Rule<O> };

/** Operators that the backward pass refuses, each with the reason. */
const withoutGradient: Record<Exclude<Operator, keyof typeof rules>, string> = {
  And: 'its result is a condition',
  ArgMax: 'its result is an index',
  Cast: 'it may round or produce integers',
  ConstantOfShape: 'its result is a constant',
  CumSum: 'drawing tokens is not differentiated',
  Equal: 'its result is a condition',
  Less: 'its result is a condition',
  LessOrEqual: 'its result is a condition',
  Loop: 'compute the loss and its gradients inside the loop',
  Range: 'its result is a constant',
  ReduceMax: 'drawing tokens is not differentiated',
  ReduceMin: 'drawing tokens is not differentiated',
  ReduceSumSquare: 'gradient norms are not differentiated',
  ScatterElements: 'gradients are not differentiated again',
  ScatterND: 'gradients are not differentiated again',
  Shape: 'its result is a shape',
  Split: 'a rule sees only the first output; use slice',
  Sum: 'decoding is not differentiated; use add',
  TopK: 'drawing tokens is not differentiated',
};

/** The rule of an operator. @throws with the reason if it has none */
export function ruleFor({ opType, name }: Node): Rule {
  if (opType in withoutGradient)
    throw new Error(
      `no gradient of operator ${opType} (${name}): ${withoutGradient[opType as keyof typeof withoutGradient]}`,
    );
  // A node of operator O is given to the rule of O.
  return rules[opType as keyof typeof rules] as Rule;
}
