// Reviews a program without running it.

import type { ParsedProgram } from '../programs/javascript.ts';
import { withinStack } from '../programs/parse.ts';
import { costOf } from './cost.ts';
import { judgeDocumentation } from './documentation.ts';
import { judgeQuality } from './quality.ts';

export interface TextReview {
  quality: number;
  documentation: number;
  /** Estimated operations of one call. */
  cost: number;
  objections: string[];
}

/**
 * Review a program in JavaScript or TypeScript, quoting the first type error.
 * @throws UnreadableProgram
 */
export function reviewText(program: ParsedProgram): TextReview {
  return withinStack(() => reviewTree(program));
}

function reviewTree(program: ParsedProgram): TextReview {
  const { value: quality, objections } = judgeQuality(program);
  const [error] = program.types?.errors ?? [];
  return {
    quality,
    objections: error ? [...objections, error] : objections,
    documentation: judgeDocumentation(program),
    cost: costOf(program),
  };
}
