// Reviews a program without running it.

import type { ParsedProgram } from '../programs/javascript.ts';
import { withinStack } from '../programs/parse.ts';
import { costOf } from './cost.ts';
import { judgeDocumentation } from './documentation.ts';
import { judgeQuality } from './quality.ts';

export interface TextReview {
  quality: number;
  documentation: number;
  /** Estimated operations of one call; null if they cannot be told. */
  cost: number | null;
  objections: string[];
}

/** Of a program whose text does not tell what runs: it earns nothing for its text. */
export function hiddenReview(reason: string): TextReview {
  const objections = [`its text does not tell what runs: ${reason}`];
  return { quality: 0, documentation: 0, cost: null, objections };
}

/**
 * Review a program in JavaScript or TypeScript, quoting the first type error.
 * @throws UnreadableProgram
 */
export function reviewText(program: ParsedProgram): TextReview {
  return withinStack(() => reviewTree(program));
}

function reviewTree(program: ParsedProgram): TextReview {
  if (program.hidden) return hiddenReview(program.hidden);
  const { value: quality, objections } = judgeQuality(program);
  const [error] = program.types?.errors ?? [];
  return {
    quality,
    objections: error ? [...objections, error] : objections,
    documentation: judgeDocumentation(program),
    cost: costOf(program),
  };
}
