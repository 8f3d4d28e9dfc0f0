// Prompts and preference pairs: lines of the files that a user provides.

import { z } from 'zod';

/**
 * How a program is tested: a call with its arguments and what it must return (deep equality over
 * JSON); statements that call the entry and assert; or a whole run of the program, with what it
 * reads and what it must write (white space at the ends of lines does not count).
 */
const testSchema = z.union(
  [
    z.strictObject({ args: z.array(z.json()), returns: z.json() }),
    z.strictObject({ assert: z.string().min(1) }),
    z.strictObject({ stdin: z.string(), stdout: z.string() }),
  ],
  'expected {args, returns}, {assert} or {stdin, stdout}',
);

/** A line of a prompt file: a task, how it is tested, and a solution to measure against. */
export const promptSchema = z
  .strictObject({
    id: z.string().min(1),
    /** The text that the policy completes. */
    prompt: z.string().min(1),
    /** Name of the function that a completion must define; only whole programs need none. */
    entry: z
      .string()
      .regex(/^[A-Za-z_$][\w$]*$/)
      .or(z.literal(''))
      .default(''),
    language: z.enum(['javascript', 'typescript', 'python']).default('javascript'),
    /** Whether the program is the prompt with the completion after it, not the completion alone. */
    continues: z.boolean().optional(),
    tests: z.array(testSchema).min(1),
    /** A correct, clean solution: what a perfect completion would be. */
    reference: z.string().min(1),
  })
  .superRefine(({ entry, tests }, context) => {
    if (entry === '' && !tests.every((test) => 'stdin' in test))
      context.addIssue({
        code: 'custom',
        path: ['entry'],
        message: 'expected the name of the function that the tests call, found none',
      });
  });
export type Prompt = z.output<typeof promptSchema>;

/** A line of a file of preference pairs: two answers to a prompt, the first the better one. */
export const preferencePairSchema = z.object({
  /** Of the prompt, where it is known. */
  id: z.string().optional(),
  prompt: z.string().min(1),
  chosen: z.string(),
  rejected: z.string(),
  /** By how much the chosen answer's reward is higher. */
  margin: z.number().optional(),
});
export type PreferencePair = z.output<typeof preferencePairSchema>;
