// A judge's answer: its schema, derived from the rubric, and its conversion to numbers.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JudgeRubric } from '../../config/schema/rewards/judge.ts';

/** A judge's answer on one program: its criteria in [0, 1], and a sentence. */
export interface Verdict {
  criteria: Record<string, number>;
  note: string;
}

const topPoints = 4;
const noteLength = 300;

/** Short hash that identifies a rubric in keys and reports. */
export function rubricVersion(rubric: JudgeRubric): string {
  return createHash('sha256').update(JSON.stringify(rubric)).digest('hex').slice(0, 12);
}

/** Schema for one program. The reason comes first, so that the judge reasons before it decides. */
export function verdictSchema(rubric: JudgeRubric) {
  const criteria = rubric.criteria.map(({ name, scale }) => [
    name,
    scale === 'binary' ? z.boolean() : z.literal([0, 1, 2, 3, topPoints]),
  ]);
  return z.strictObject({
    reason: z.string().describe('One sentence.'),
    criteria: z.strictObject(Object.fromEntries(criteria) as Record<string, AnswerSchema>),
  });
}
type AnswerSchema = z.ZodType<boolean | number>;
type Answered = z.output<ReturnType<typeof verdictSchema>>;

/** Schema for a group: one verdict for each number from 1, none missing or repeated. */
export function groupSchema(rubric: JudgeRubric, programs: number) {
  const labels = Array.from({ length: programs }, (_, i) => String(i + 1));
  const expected = labels.toSorted().join();
  return z.strictObject({
    verdicts: z
      .array(z.strictObject({ program: z.enum(labels), ...verdictSchema(rubric).shape }))
      .refine(
        (verdicts) =>
          verdicts
            .map(({ program }) => program)
            .sort()
            .join() === expected,
        {
          message: `expected a verdict for each of ${expected}`,
        },
      ),
  });
}

export function verdictOf({ reason, criteria }: Answered): Verdict {
  const points = Object.entries(criteria).map(([name, answer]) => [
    name,
    typeof answer === 'boolean' ? Number(answer) : answer / topPoints,
  ]);
  return { criteria: Object.fromEntries(points), note: reason.slice(0, noteLength) };
}

/** The weighted mean of a verdict's criteria. */
export function rubricValue({ criteria }: Pick<Verdict, 'criteria'>, rubric: JudgeRubric): number {
  const total = rubric.criteria.reduce((sum, { weight }) => sum + weight, 0);
  const sum = rubric.criteria.reduce((sum, { name, weight }) => sum + weight * criteria[name]!, 0);
  return sum / total;
}
