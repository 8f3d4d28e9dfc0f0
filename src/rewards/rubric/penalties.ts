// The penalty of each kind of finding, the same in every language that has it. The upper limit keeps
// one habit, however often repeated, from deciding the whole criterion.

interface Penalty {
  /** For each occurrence. */
  each: number;
  /** For all occurrences together. */
  most: number;
}

export const penalties = {
  'trivial body': { each: 0.5, most: 0.5 },
  'undeclared name': { each: 0.3, most: 0.6 },
  'type error': { each: 0.2, most: 0.6 },
  'unused parameter': { each: 0.25, most: 0.5 },
  'missing return': { each: 0.3, most: 0.3 },
  'name declared twice': { each: 0.25, most: 0.5 },
  'dynamic code': { each: 0.25, most: 0.5 },
  'unreachable code': { each: 0.2, most: 0.4 },
  'bare except': { each: 0.2, most: 0.4 },
  'same on both sides': { each: 0.2, most: 0.4 },
  'statement without effect': { each: 0.15, most: 0.3 },
  'unused variable': { each: 0.15, most: 0.3 },
  'unused import': { each: 0.15, most: 0.3 },
  'stray statement': { each: 0.15, most: 0.3 },
  'logging left behind': { each: 0.15, most: 0.3 },
  'deep nesting': { each: 0.15, most: 0.45 },
  'mutable default': { each: 0.15, most: 0.3 },
  var: { each: 0.15, most: 0.3 },
  'loose comparison': { each: 0.15, most: 0.3 },
  'comparison with a singleton': { each: 0.1, most: 0.2 },
  'unchecked type': { each: 0.1, most: 0.3 },
  'single-letter name': { each: 0.1, most: 0.3 },
  'name not in snake case': { each: 0.1, most: 0.2 },
  'shadowed name': { each: 0.1, most: 0.2 },
  'shadowed builtin': { each: 0.1, most: 0.2 },
  'empty block': { each: 0.1, most: 0.2 },
  'long function': { each: 0.1, most: 0.4 },
  'needless else': { each: 0.1, most: 0.2 },
  'redundant boolean': { each: 0.1, most: 0.2 },
  'let for a constant': { each: 0.05, most: 0.1 },
  'parameter reassigned': { each: 0.05, most: 0.1 },
  'counted walk': { each: 0.05, most: 0.1 },
} satisfies Record<string, Penalty>;

/** A kind of finding. */
export type Finding = keyof typeof penalties;

/** Quality in [0, 1] of a program with these findings, and the names of those that occur. */
export function weigh(counts: readonly (readonly [Finding, number])[]): {
  value: number;
  objections: Finding[];
} {
  const found = counts.filter(([, count]) => count > 0);
  const cost = ([name, count]: readonly [Finding, number]) =>
    Math.min(penalties[name].most, penalties[name].each * count);
  return {
    value: Math.max(
      0,
      found.reduce((value, finding) => value - cost(finding), 1),
    ),
    objections: found.map(([name]) => name),
  };
}
