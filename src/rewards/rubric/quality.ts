// The quality criterion of JavaScript and TypeScript: what a reviewer would object to. Correctness
// and speed are left to other criteria.

import type { ParsedProgram } from '../programs/javascript.ts';
import * as expressions from './expressions.ts';
import * as names from './names.ts';
import { type Finding, weigh } from './penalties.ts';
import * as structure from './structure.ts';

/** Counts each finding in a program; graver ones first. */
export const findings = {
  'trivial body': structure.trivialEntry,
  'undeclared name': names.undeclaredNames,
  'type error': ({ types }) => types?.errors.length ?? 0,
  'unused parameter': names.unusedParameters,
  'missing return': structure.missingReturns,
  'name declared twice': names.redeclaredNames,
  'dynamic code': expressions.dynamicCode,
  'unreachable code': structure.unreachable,
  'same on both sides': expressions.sameOnBothSides,
  'statement without effect': expressions.withoutEffect,
  'unused variable': names.unusedVariables,
  'stray statement': structure.strayStatements,
  'logging left behind': expressions.leftovers,
  'deep nesting': structure.deepLevels,
  var: expressions.varDeclarations,
  'loose comparison': expressions.looseComparisons,
  'unchecked type': ({ types }) => types?.escapes ?? 0,
  'single-letter name': names.singleLetterNames,
  'shadowed name': names.shadowingNames,
  'empty block': structure.emptyBlocks,
  'long function': structure.excessLines,
  'needless else': structure.needlessElses,
  'redundant boolean': expressions.redundantBooleans,
  'let for a constant': names.neverReassigned,
  'parameter reassigned': names.reassignedParameters,
  'counted walk': names.countedWalks,
} satisfies Partial<Record<Finding, (program: ParsedProgram) => number>>;

/** Quality of a program in [0, 1], and the names of the objections to it. */
export function judgeQuality(program: ParsedProgram): { value: number; objections: Finding[] } {
  const counters = Object.entries(findings) as [
    keyof typeof findings,
    (program: ParsedProgram) => number,
  ][];
  return weigh(counters.map(([name, count]) => [name, count(program)]));
}
