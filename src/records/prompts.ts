// Prompts and preference pairs: lines of a user's files.

import { z } from 'zod';

/** A value of JSON; whole numbers that a double may round are bigints. */
export type TestValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | TestValue[]
  | { [key: string]: TestValue };
const testValueSchema: z.ZodType<TestValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.bigint(),
    z.boolean(),
    z.null(),
    z.array(testValueSchema),
    z.record(z.string(), testValueSchema),
  ]),
);

/**
 * A test of a program: a call with arguments and the expected result (deep equality over JSON);
 * statements that call the entry and assert; or a whole run of the program with its input and
 * expected output (white space at line ends does not count).
 */
const testSchema = z.union(
  [
    z.strictObject({ args: z.array(testValueSchema), returns: testValueSchema }),
    z.strictObject({ assert: z.string().min(1) }),
    z.strictObject({ stdin: z.string(), stdout: z.string() }),
  ],
  'expected {args, returns}, {assert} or {stdin, stdout}',
);

/** A whole number in a value that no double is equal to. */
function roundedIn(value: TestValue): bigint | undefined {
  if (typeof value === 'bigint') return BigInt(Number(value)) === value ? undefined : value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const item of Object.values(value)) {
    const rounded = roundedIn(item);
    if (rounded !== undefined) return rounded;
  }
  return undefined;
}

/** A line of a prompt file: a task, its tests, and a reference solution. */
export const promptSchema = z
  .strictObject({
    id: z.string().min(1),
    /** The text that the policy completes. */
    prompt: z.string().min(1),
    /** The function that a completion must define; whole programs need none. */
    entry: z
      .string()
      .regex(/^[A-Za-z_$][\w$]*$/)
      .or(z.literal(''))
      .default(''),
    language: z.enum(['javascript', 'typescript', 'python']).default('javascript'),
    /** Whether the program is prompt plus completion, instead of the completion only. */
    continues: z.boolean().optional(),
    tests: z.array(testSchema).min(1),
    /** A correct, clean solution. */
    reference: z.string().min(1),
  })
  .superRefine(({ entry, tests, language }, context) => {
    if (entry === '' && !tests.every((test) => 'stdin' in test))
      context.addIssue({
        code: 'custom',
        path: ['entry'],
        message: 'expected the name of the function that the tests call, found none',
      });
    for (const [index, test] of language === 'python' ? [] : tests.entries()) {
      const rounded = 'args' in test && roundedIn([test.args, test.returns]);
      if (rounded)
        context.addIssue({
          code: 'custom',
          path: ['tests', index],
          message: `expected numbers that ${language} can hold, found ${rounded}, which it rounds to ${BigInt(Number(rounded))}; give the number as text, or assert with a BigInt`,
        });
    }
  });
export type Prompt = z.output<typeof promptSchema>;

/** A line of a file of preference pairs: a better and a worse answer to a prompt. */
export const preferencePairSchema = z.object({
  /** Id of the prompt, if known. */
  id: z.string().optional(),
  prompt: z.string().min(1),
  chosen: z.string(),
  rejected: z.string(),
  /** By how much the chosen answer's reward is higher. */
  margin: z.number().optional(),
});
export type PreferencePair = z.output<typeof preferencePairSchema>;
