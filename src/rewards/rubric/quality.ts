// The quality criterion: 1, less what a reviewer would object to. Each finding costs `each`, a
// kind of finding at most `most`. What programs do, and how fast, is left to other criteria.

import * as expressions from './expressions.ts';
import * as names from './names.ts';
import * as structure from './structure.ts';
import type { ParsedProgram } from './syntax.ts';

interface Objection {
  name: string;
  count: (program: ParsedProgram) => number;
  each: number;
  most: number;
}

/** The whole table of objections, graver ones first. */
export const objections: readonly Objection[] = [
  { name: 'trivial body', count: structure.trivialEntry, each: 0.5, most: 0.5 },
  { name: 'undeclared name', count: names.undeclaredNames, each: 0.3, most: 0.6 },
  { name: 'type error', count: ({ types }) => types?.errors.length ?? 0, each: 0.2, most: 0.6 },
  { name: 'unused parameter', count: names.unusedParameters, each: 0.25, most: 0.5 },
  { name: 'missing return', count: structure.missingReturns, each: 0.3, most: 0.3 },
  { name: 'name declared twice', count: names.redeclaredNames, each: 0.25, most: 0.5 },
  { name: 'dynamic code', count: expressions.dynamicCode, each: 0.25, most: 0.5 },
  { name: 'unreachable code', count: structure.unreachable, each: 0.2, most: 0.4 },
  { name: 'same on both sides', count: expressions.sameOnBothSides, each: 0.2, most: 0.4 },
  { name: 'statement without effect', count: expressions.withoutEffect, each: 0.15, most: 0.3 },
  { name: 'unused variable', count: names.unusedVariables, each: 0.15, most: 0.3 },
  { name: 'stray statement', count: structure.strayStatements, each: 0.15, most: 0.3 },
  { name: 'logging left behind', count: expressions.leftovers, each: 0.15, most: 0.3 },
  { name: 'deep nesting', count: structure.deepLevels, each: 0.15, most: 0.45 },
  { name: 'var', count: expressions.varDeclarations, each: 0.15, most: 0.3 },
  { name: 'loose comparison', count: expressions.looseComparisons, each: 0.15, most: 0.3 },
  { name: 'unchecked type', count: ({ types }) => types?.escapes ?? 0, each: 0.1, most: 0.3 },
  { name: 'single-letter name', count: names.singleLetterNames, each: 0.1, most: 0.3 },
  { name: 'shadowed name', count: names.shadowingNames, each: 0.1, most: 0.2 },
  { name: 'empty block', count: structure.emptyBlocks, each: 0.1, most: 0.2 },
  { name: 'long function', count: structure.excessLines, each: 0.1, most: 0.4 },
  { name: 'needless else', count: structure.needlessElses, each: 0.1, most: 0.2 },
  { name: 'redundant boolean', count: expressions.redundantBooleans, each: 0.1, most: 0.2 },
  { name: 'let for a constant', count: names.neverReassigned, each: 0.05, most: 0.1 },
  { name: 'parameter reassigned', count: names.reassignedParameters, each: 0.05, most: 0.1 },
  { name: 'counted walk', count: names.countedWalks, each: 0.05, most: 0.1 },
];

/** Quality of a program in [0, 1], and the names of the objections to it. */
export function judgeQuality(program: ParsedProgram): { value: number; objections: string[] } {
  let value = 1;
  const found: string[] = [];
  for (const { name, count, each, most } of objections) {
    const penalty = Math.min(most, each * count(program));
    if (penalty > 0) found.push(name);
    value -= penalty;
  }
  return { value: Math.max(0, value), objections: found };
}
