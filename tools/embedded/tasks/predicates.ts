// Conditions on one number, as phrase and as expression, shared by the families that select, count
// or label values.

import { span } from './task.ts';

export interface Predicate {
  key: string;
  /** Completes "the values …". */
  phrase: string;
  /** The condition on the expression `operand`. */
  test: (operand: string) => string;
  /** The opposite condition. */
  not: (operand: string) => string;
  /** The number that decides. */
  bound: number;
}

function comparison(key: string, phrase: string, operator: string, opposite: string) {
  return span(1, 9).map(
    (bound): Predicate => ({
      key: `${key}-${bound}`,
      phrase: `${phrase} ${bound}`,
      test: (operand) => `${operand} ${operator} ${bound}`,
      not: (operand) => `${operand} ${opposite} ${bound}`,
      bound,
    }),
  );
}

export const comparisons: Predicate[] = [
  ...comparison('above', 'above', '>', '<='),
  ...comparison('below', 'below', '<', '>='),
  ...comparison('from', 'from', '>=', '<').map((p) => ({ ...p, phrase: `${p.phrase} up` })),
  ...comparison('up-to', 'up to', '<=', '>'),
];

const multiples: Predicate[] = span(2, 9).map((bound) => ({
  key: `divisible-${bound}`,
  phrase: `divisible by ${bound}`,
  test: (operand) => `${operand} % ${bound} === 0`,
  not: (operand) => `${operand} % ${bound} !== 0`,
  bound,
}));

export const predicates: Predicate[] = [...comparisons, ...multiples];

/**
 * Lists that distinguish a condition with this bound from similar ones: both sides, the edge, none.
 */
export function listsAround(bound: number): number[][] {
  return [
    [bound - 1, bound, bound + 1],
    [],
    [bound],
    [bound + 3, bound + 1, 2 * bound],
    [bound - 2, -bound, bound - 1],
    [3 * bound, bound, 1, 0, bound + 2, -3],
    [12, 4, 7, bound, 3, 10, 6],
  ];
}

/** Single numbers on both sides of the bound and on it. */
export function numbersAround(bound: number): number[] {
  return [bound, bound + 1, bound - 1, 0, 2 * bound, -bound, 20];
}
