// The ONNX operators used in graphs. Shape rules are in operators.ts, gradients in
// ../autodiff/rules.ts.

/** Each with the domain that defines it: '' is ONNX itself (opset 18). */
export const operatorDomains = {
  Add: '',
  And: '',
  ArgMax: '',
  Cast: '',
  Concat: '',
  ConstantOfShape: '',
  CumSum: '',
  Div: '',
  Equal: '',
  Exp: '',
  Expand: '',
  FusedMatMul: 'com.microsoft',
  Gather: '',
  GatherElements: '',
  Gemm: '',
  Identity: '',
  Less: '',
  LessOrEqual: '',
  Log: '',
  LogSoftmax: '',
  Loop: '',
  MatMul: '',
  Max: '',
  Min: '',
  Mul: '',
  Neg: '',
  QuickGelu: 'com.microsoft',
  Range: '',
  ReduceMax: '',
  ReduceMean: '',
  ReduceMin: '',
  ReduceSum: '',
  ReduceSumSquare: '',
  Reshape: '',
  RotaryEmbedding: 'com.microsoft',
  ScatterElements: '',
  ScatterND: '',
  Shape: '',
  Sigmoid: '',
  SimplifiedLayerNormalization: '',
  Slice: '',
  Softmax: '',
  Split: '',
  Sqrt: '',
  Sub: '',
  Sum: '',
  TopK: '',
  Transpose: '',
  Where: '',
} as const;
export type Operator = keyof typeof operatorDomains;

/** Metadata that gradient rules need and ONNX has no field for, by operator. */
export interface OperatorMetadata {
  Gather: {
    /** Whether no index occurs twice, so that the gradient need not sum rows. */
    distinct: boolean;
  };
}
export type MetadataOf<O extends Operator> = O extends keyof OperatorMetadata
  ? OperatorMetadata[O]
  : undefined;
