// Reviews the text of Python programs. The package `_anneal` reads them in the sandbox with Python's
// own parser and reports findings; they are weighed as in other languages.

import { z } from 'zod';
import { readPython } from '../programs/python.ts';
import type { SandboxLimits } from '../sandbox/protocol.ts';
import { boundedCost, nominalLength } from './cost.ts';
import { weighDocumentation } from './documentation.ts';
import { type Finding, penalties, weigh } from './penalties.ts';
import { comfortableDepth, comfortableLines, linesPerFinding } from './structure.ts';
import { hiddenReview, type TextReview } from './text-review.ts';

/** Texts read before the interpreter is restored, which takes longer than reading one. */
const readTogether = 16;

const limits = {
  list_length: nominalLength,
  levels: comfortableDepth,
  lines: comfortableLines,
  lines_per_finding: linesPerFinding,
};

const countSchema = z.int().nonnegative();
/** Result of `analyse` in `_anneal/review.py`. */
const readingSchema = z.union([
  z.strictObject({ failed: z.string() }),
  z.strictObject({ hidden: z.string() }),
  z.strictObject({
    findings: z.array(z.tuple([z.enum(Object.keys(penalties) as Finding[]), countSchema])),
    documentation: z.union([
      z.strictObject({ opening: countSchema }),
      z.strictObject({ comment: countSchema }),
      z.strictObject({
        description: countSchema,
        params: z.strictObject({
          expected: countSchema,
          named: countSchema,
          described: countSchema,
          unknown: countSchema,
        }),
        returns: z.boolean(),
      }),
    ]),
    // Python counts exactly, beyond the largest number here.
    cost: z.custom<number>((cost) => typeof cost === 'number' && cost >= 0).transform(boundedCost),
  }),
]);

/** Review texts; reviews in their order, with the reason for each that cannot be read. */
export async function reviewPython(
  programs: readonly { source: string; entry: string }[],
  sandboxLimits: SandboxLimits,
  signal?: AbortSignal,
): Promise<(TextReview | { failed: string })[]> {
  const calls = programs.map(({ source, entry }) => [source, entry, limits]);
  const options = { limits: sandboxLimits, together: readTogether, signal };
  return (await readPython('analyse', calls, options)).map((outcome) => {
    if ('failed' in outcome) return { failed: `cannot be read: ${outcome.failed}` };
    return toReview(readingSchema.parse(JSON.parse(outcome.returned)));
  });
}

function toReview(reading: z.output<typeof readingSchema>): TextReview | { failed: string } {
  if ('failed' in reading) return reading;
  if ('hidden' in reading) return hiddenReview(reading.hidden);
  const { value: quality, objections } = weigh(reading.findings);
  const documentation = weighDocumentation(reading.documentation);
  return { quality, documentation, cost: reading.cost, objections };
}
